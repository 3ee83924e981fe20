# SPDX-License-Identifier: MIT
#
# Judges the TAP of several programs: each between `### begin NAME` and `### end NAME STATUS`. Prints what failed, and
# at the end one line for the caller: `### sum PASSED FAILED SKIPPED`. A program counts one more failure if it did
# not finish its plan, had none, or ended badly without saying which test did.

function judge(status,	why) {
	if (!name)
		return
	if (status == "")
		why = "ended in the middle: the machine died, or was switched off"
	else if (!planned)
		why = "printed no plan (1..N): ended with status " status
	else if (ran < plan)
		why = "planned " plan " tests, ran " ran ": ended with status " status
	else if (status != 0 && !bad)
		why = "ended with status " status ", and no test of it says why"
	if (why != "") {
		failed++
		printf "  FAIL     %s: %s\n", name, why
		tail()
	}
	printf "  %-8s %s: %d passed%s%s\n", why == "" && !bad ? "ok" : "NOT OK", name, good,
		bad ? ", " bad " failed" : "", skips ? ", " skips " skipped" : ""
	name = ""
}

# The last lines that are no results.
function tail(	i) {
	for (i = (n > 15 ? n - 14 : 1); i <= n; i++)
		printf "             %s\n", note[i]
}

/^### begin / {
	judge("")
	name = $3
	planned = plan = ran = bad = good = skips = n = after = 0
	next
}

/^### end / {
	judge($4)
	next
}

!name { next }

# One plan a group; cmocka prints as many as there are groups.
/^1\.\.[0-9]+/ {
	planned = 1
	plan += substr($0, 4) + 0
	if (/# *SKIP/ && plan == 0) {
		skips++
		skipped++
	}
	next
}

# cmocka 1.1.5 says "not ok N # SKIP".
/^(not )?ok .*# *SKIP/ {
	ran++; skips++; skipped++
	n = after = 0
	next
}

/^ok( |$)/ {
	ran++; good++; passed++
	n = after = 0
	next
}

# Notes come before the result (kselftest) or after it (cmocka).
/^not ok( |$)/ {
	ran++; bad++; failed++
	printf "  FAIL     %s: %s\n", name, $0
	tail()
	n = 0
	after = 6
	next
}

/^#/ && after > 0 {
	after--
	printf "             %s\n", $0
	next
}

{ after = 0; note[++n] = $0 }

END {
	judge("")
	printf "### sum %d %d %d\n", passed, failed, skipped
}
