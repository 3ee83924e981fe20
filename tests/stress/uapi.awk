# SPDX-License-Identifier: MIT
#
# From uapi/drm/quill_accel.h, tables in C of its ioctls and of its structures' fields, for ioctl_fuzz.c. What is added there is
# fuzzed without a word here.

/^struct drm_quill_[a-z_]* \{/ { struct = $2; n = 0; doc = ""; next }
struct && /^\};/ {
	printf "static const struct field fields_%s[] = {\n", struct
	for (i = 0; i < n; i++)
		printf "\tFIELD(%s, %s, %s),\n", struct, name[i], element[i]
	print "};\n"
	struct = ""
	next
}
struct {
	doc = doc $0
	if ($0 !~ /;$/)
		next
	line = $0
	sub(/;.*/, "", line)
	sub(/\[.*/, "", line)
	count = split(line, word, /[ \t]+/)
	name[n] = word[count]
	element[n] = "-1"
	# an array's elements are named in its comment: "of struct X"
	if (word[count - 1] == "drm_quill_array" && match(doc, /of struct [a-z_]*/))
		element[n] = "STRUCT_" substr(doc, RSTART + 10, RLENGTH - 10)
	n++
	doc = ""
}

/^#define DRM_IOCTL_QUILL_/ { ioctl = $2 }
ioctl && /struct drm_quill_[a-z_]*\)/ {
	match($0, /drm_quill_[a-z_]*\)/)
	ioctls = ioctls "\tREQUEST(" ioctl ", " substr($0, RSTART, RLENGTH - 1) "),\n"
	ioctl = ""
}

# Which structures there are has to be known before they are used: the header is read twice.
BEGIN {
	while ((getline line < ARGV[1]) > 0)
		if (line ~ /^struct drm_quill_[a-z_]* \{/) {
			split(line, word, " ")
			all[m++] = word[2]
		}
	print "enum {"
	for (i = 0; i < m; i++)
		printf "\tSTRUCT_%s,\n", all[i]
	print "};\n"
}
END {
	print "static const struct record records[] = {"
	for (i = 0; i < m; i++)
		printf "\tRECORD(%s),\n", all[i]
	print "};\n"
	print "static const struct request requests[] = {"
	printf "%s", ioctls
	print "};"
}
