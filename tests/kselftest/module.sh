#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Loading and unloading quill.ko: 20 times, with the device in use between; and firmware images that are missing or
# wrong, each refused with a message that says what was found and what was required. In TAP.

fw=/lib/firmware/quill
module=${QUILL_KO:-/lib/modules/quill.ko}
here=$(dirname "$0")
count=0

ok() { count=$((count + 1)); echo "ok $count module.$1"; }
not_ok() { count=$((count + 1)); echo "not ok $count module.$1"; shift; echo "# $*"; }

log_since() { dmesg | sed "1,$1d"; }
lines() { dmesg | wc -l; }

echo "TAP version 13"
echo "1..11"

if grep -q '^quill ' /proc/modules && rmmod quill; then ok unloads; else not_ok unloads "rmmod failed"; fi

bad=0
i=0
while [ $i -lt 20 ]; do
	insmod "$module" || bad=$((bad + 1))
	[ -c /dev/accel/accel0 ] || bad=$((bad + 1))
	"$here/device" >/dev/null 2>&1 || bad=$((bad + 1))
	rmmod quill || bad=$((bad + 1))
	[ ! -e /dev/accel/accel0 ] || bad=$((bad + 1))
	i=$((i + 1))
done
if [ $bad -eq 0 ]; then ok loads_and_unloads_20_times; else not_ok loads_and_unloads_20_times "$bad steps failed"; fi

# refused NAME PATTERN: with what is now in $fw, probe fails and says PATTERN
refused() {
	before=$(lines)
	insmod "$module"
	if [ -e /dev/accel/accel0 ]; then
		not_ok "$1" "the device came up"
	elif log_since "$before" | grep -qiE "quill.*($2)"; then
		ok "$1"
	else
		not_ok "$1" "no message like '$2'; the log says: $(log_since "$before" | grep -i quill | head -n 3)"
	fi
	rmmod quill
}

mv $fw/quill_fw.bin $fw/good.bin
refused missing_firmware_is_named 'quill/quill_fw.bin'
while read -r kind pattern; do
	cp "$fw/bad/$kind.bin" $fw/quill_fw.bin
	refused "firmware_${kind}_is_refused_with_the_reason" "$pattern"
	rm -f $fw/quill_fw.bin
done <<-END
	corrupt crc.*(required|expected)
	header-crc crc.*(required|expected)
	truncated bytes.*(required|expected)
	wrong-magic magic.*(required|expected)
	too-old-abi abi.*(required|expected)
	too-new-abi abi.*(required|expected)
	wrong-hw made for hardware
END
mv $fw/good.bin $fw/quill_fw.bin

if insmod "$module" && "$here/device" >/dev/null 2>&1; then ok loads_again; else not_ok loads_again "with the good image"; fi
