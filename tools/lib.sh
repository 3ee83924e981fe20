# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the scripts share: places, messages, long steps, and an apt of our own.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/quill
# SAN=thread: what `make SAN=thread` builds, apart.
BUILD=$ROOT/build${SAN:+/san-${SAN//,/-}}
LOG=$BUILD/log
# KVER=debug: the kernel of tests/debug-kernel, with the module and the archives that are made for it.
KERNEL=$BUILD/kernel${KVER:+-$KVER}
KMOD=$BUILD/kmod${KVER:+-$KVER}
VM=$BUILD/vm${KVER:+-$KVER}
APT_DIR=$CACHE/apt
# As emu/qemu/build makes it.
QEMU=$BUILD/qemu${QEMU_RELEASE:+-$QEMU_RELEASE}/qemu-system-x86_64

say() { printf '  %-8s %s\n' "$1" "$2"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# step TAG TEXT LOGNAME COMMAND...: a long step is one line, its output is build/log/LOGNAME.log. On a terminal
# the line carries ninja's counter. A failure shows the end of the log.
step() {
	local tag=$1 text=$2 log=$LOG/$3.log start=$SECONDS pid rc=0 count

	shift 3
	mkdir -p "$LOG"
	# In the background, because set -e does not hold in a command whose status is tested; and in a process group of
	# its own, so that an interrupt ends all of it.
	set -m
	(set -e; "$@") >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
	# shellcheck disable=SC2064 # of now
	trap "kill -- -$pid 2>/dev/null; exit 130" INT TERM
	[ -t 1 ] || say "$tag" "$text"
	while [ -t 1 ] && kill -0 $pid 2>/dev/null; do
		count=$(tail -n 1 "$log" | grep -o '^\[[0-9]*/[0-9]*\]' || true)
		printf '\r\033[K  %-8s %s %s' "$tag" "$text" "$count"
		sleep 0.5
	done
	wait $pid || rc=$?
	trap - INT TERM
	if [ -t 1 ]; then
		printf '\r\033[K'
		say "$tag" "$text ($((SECONDS - start)) s)"
	fi
	[ $rc -eq 0 ] && return 0
	tail -n 20 "$log" | cut -c1-200 | sed 's/^/    /' >&2
	die "$text: failed with status $rc; the whole log is ${log#"$ROOT"/}"
}

# The machine's package sources, with source packages, in lists of our own: kernel and QEMU are fetched without root and
# without a change to the system's lists. With a release's name (trixie), the same sources, of that release.
apt_private() {
	local release=${1:-} dir f lock

	APT_DIR=$CACHE/apt${release:+-$release}
	dir=$APT_DIR
	mkdir -p "$dir"
	exec {lock}>"$dir.lock"
	flock $lock
	# QEMU and kernel are fetched at the same time, and neither must change the lists under the other.
	if [ -n "$(find "$dir/updated" -mmin -10 2>/dev/null)" ]; then
		exec {lock}>&-
		return
	fi
	mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/parts"
	: >"$dir/sources.list"
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -f "$f" ] || continue
		sed -n 's/^deb[[:space:]]\(.*\)/deb \1\ndeb-src \1/p' "$f" >>"$dir/sources.list"
	done
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -f "$f" ] || continue
		sed 's/^Types:.*/Types: deb deb-src/' "$f" >"$dir/parts/${f##*/}"
	done
	[ -z "$release" ] || apt_of_release "$release"
	# A source without source packages (some third party's) fails alone; what we need is then missing by name.
	apt_do update || true
	touch "$dir/updated"
	exec {lock}>&-
}

# From the lists in APT_DIR, those that follow the machine's own release, turned to another.
apt_of_release() {
	local own f

	own=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	for f in "$APT_DIR/sources.list" "$APT_DIR"/parts/*.sources; do
		[ -f "$f" ] || continue
		if [[ $f == *.list ]]; then
			sed -i "/[[:space:]]$own/!d" "$f"
		elif ! grep -q "^Suites:.*[[:space:]]$own" "$f"; then
			rm "$f"
			continue
		fi
		sed -i "s/\([[:space:]]\)$own\b/\1$1/g" "$f"
	done
}

apt_do() {
	local dir=$APT_DIR

	case $1 in
	source | download | update) set -- apt-get "$@" ;;
	*) set -- apt-cache "$@" ;;
	esac
	"$1" -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts="$dir/parts" \
		-o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir" -o APT::Sandbox::User=root \
		-o Acquire::Languages=none "${@:2}"
}

# One at a time, over all checkouts that share the cache.
cache_lock() {
	mkdir -p "$CACHE"
	exec 9>"$CACHE/$1.lock"
	flock -n 9 || { say WAIT "for another build that uses the cache ($1)"; flock 9; }
}
