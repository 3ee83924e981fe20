#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Failures on demand in the driver: the n-th use of each site fails, for n from 1 on, and probe unwinds, calls say so,
# the device works afterwards. In TAP. Only where the kernel has fault injection.

knobs=/sys/kernel/debug/quill
driver=/sys/bus/pci/drivers/quill
here=$(dirname "$0")
count=0

result() {
	count=$((count + 1))
	if [ -z "$2" ]; then echo "ok $count fail.$1"; else echo "not ok $count fail.$1"; echo "# $2"; fi
}

# arm SITE N
arm() {
	echo 0 >"$knobs/$1/verbose"
	echo 100 >"$knobs/$1/probability"
	echo "$2" >"$knobs/$1/space"
	echo 1 >"$knobs/$1/times"
}

# Return: whether the failure was had.
disarm() {
	times=$(cat "$knobs/$1/times")
	echo 0 >"$knobs/$1/probability"
	[ "$times" = 0 ]
}

if [ ! -d $knobs/fail_probe ]; then
	echo "TAP version 13"
	echo "1..0 # SKIP found no $knobs/fail_probe: the kernel has no CONFIG_FAULT_INJECTION_DEBUG_FS"
	exit 0
fi
echo "TAP version 13"
echo "1..5"

device=$(basename "$(ls -d $driver/0000:*)")
what=
n=1
while [ $n -le 20 ]; do
	echo "$device" >$driver/unbind
	arm fail_probe $n
	bound=no
	echo "$device" >$driver/bind 2>/dev/null && bound=yes
	disarm fail_probe || break
	[ $bound = no ] || what="probe with step $n failing succeeded"
	echo "$device" >$driver/bind || what="no probe after step $n had failed"
	n=$((n + 1))
done
[ $n -ge 8 ] || what="$n steps found, 8 required"
"$here/device" >/dev/null 2>&1 || what="the device does not work afterwards"
result every_step_of_probe_unwinds "$what"

# The tests that run may fail: they are told of an error that they do not expect. Not so those behind.
sweep() {
	what=
	n=1
	while [ $n -le "$3" ]; do
		arm "fail_$1" $n
		timeout -s KILL 120 "$here/$2" >/dev/null 2>&1
		disarm "fail_$1" || break
		"$here/device" >/dev/null 2>&1 || { what="after the ${n}th: the device does not work"; break; }
		n=$((n * 2))
	done
	[ $n -gt 1 ] || what="the site was never used"
	result "$1_may_fail_anywhere" "$what"
}

sweep alloc submit 256
sweep pin bind 256
sweep dma_map bind 256
sweep admin submit 64
