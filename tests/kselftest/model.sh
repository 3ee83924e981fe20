#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The main job, end to end: quill-run writes text on the device, its logits are held against float64, and the loss from
# quantisation is measured; a model file that is damaged is refused with what is wrong and where. In TAP.

model=${QUILL_MODEL:-/usr/share/quill/quill-tiny.gguf}
heldout=${QUILL_HELDOUT:-/usr/share/quill/heldout.txt}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

ok() { count=$((count + 1)); echo "ok $count model.$1"; }
not_ok() {
	count=$((count + 1))
	echo "not ok $count model.$1"
	shift
	printf '%s\n' "$@" | sed 's/^/# /'
}

# refused NAME PATTERN FILE: exit status 1, nothing on standard output, and PATTERN among the errors
refused() {
	quill-run "$3" --prompt "The" --tokens 4 >"$work/out" 2>"$work/err"
	status=$?
	if [ $status -eq 1 ] && [ ! -s "$work/out" ] && grep -qE "$2" "$work/err"; then
		ok "$1"
	else
		not_ok "$1" "status $status, expected 1 and '$2'" "$(head -n 3 "$work/err")"
	fi
}

echo "TAP version 13"
echo "1..7"

if quill-run "$model" --prompt "The driver" --tokens 24 --temperature 0 >"$work/first" 2>"$work/err"; then
	ok writes_text_whose_logits_agree_with_float64
else
	not_ok writes_text_whose_logits_agree_with_float64 "status $?" "$(tail -n 5 "$work/err")"
fi

quill-run "$model" --prompt "The driver" --tokens 24 --temperature 0 >"$work/second" 2>"$work/err"
if cmp -s "$work/first" "$work/second" && [ -s "$work/first" ]; then
	ok writes_the_same_text_twice
else
	not_ok writes_the_same_text_twice "$(cat "$work/first")" "$(cat "$work/second")"
fi

if quill-run "$model" --eval "$heldout" >"$work/eval" 2>&1; then
	sed 's/^/# /' "$work/eval"
	ok loses_less_than_2_percent_to_quantisation
else
	not_ok loses_less_than_2_percent_to_quantisation "status $?" "$(cat "$work/eval")"
fi

refused a_missing_file_is_named 'missing\.gguf' "$work/missing.gguf"

{ printf 'GGUX'; tail -c +5 "$model"; } >"$work/magic.gguf"
refused a_wrong_magic_is_told 'magic' "$work/magic.gguf"

head -c 1000000 "$model" >"$work/short.gguf"
refused a_truncated_file_is_told_with_its_tensor '(blk|output|token).*(end|short|trunc|byte)' "$work/short.gguf"

# The value of the first key: behind header (24 bytes), key (8 + 20), type (4) and length (8).
cp "$model" "$work/arch.gguf"
printf mamba | dd of="$work/arch.gguf" bs=1 seek=64 conv=notrunc 2>/dev/null
refused another_architecture_is_named 'mamba' "$work/arch.gguf"
