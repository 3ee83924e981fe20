// SPDX-License-Identifier: MIT
/*
 * mkimage: from the firmware's ELF file to quill_fw.bin: struct quill_fw_header and the payload.
 *
 * The options make images that a driver must refuse; tests use them.
 */
#include <elf.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quill/fw_abi.h"
#include "quill/regs.h"

static const char usage[] =
	"usage: mkimage [options] -V MAJOR.MINOR -o IMAGE ELF\n"
	"  -V, --version=M.N     version of the firmware\n"
	"  -o, --output=IMAGE    what to write\n"
	"      --abi=M.N         pretend another driver interface\n"
	"      --hw=M.N          pretend another hardware\n"
	"      --magic=HEX       another magic number\n"
	"      --bad-payload-crc flip a bit of the payload behind its CRC's back\n"
	"      --bad-header-crc  flip a bit of the header likewise\n"
	"      --truncate=BYTES  leave the file's last bytes off\n";

static struct {
	unsigned int version[2], abi[2], hw[2], magic;
	unsigned long truncate;
	int bad_payload, bad_header;
	const char *output, *input;
} opt = {
	.abi = { QUILL_FW_ABI_MAJOR, QUILL_FW_ABI_MINOR },
	.hw = { QUILL_HW_MAJOR, QUILL_HW_MINOR },
	.magic = QUILL_FW_MAGIC,
};

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "mkimage: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static __u32 crc32(const void *data, size_t n)
{
	const unsigned char *p = data;
	__u32 crc = 0xffffffff;
	int bit;

	while (n--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static unsigned char *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	unsigned char *data = NULL;
	size_t have = 0, n;

	if (!f)
		die("%s: %s", path, strerror(errno));
	do {
		data = realloc(data, have + 65536);
		if (!data)
			die("%s: no memory", path);
		n = fread(data + have, 1, 65536, f);
		have += n;
	} while (n);
	if (ferror(f))
		die("%s: %s", path, strerror(errno));
	fclose(f);
	*size = have;
	return data;
}

/* The one segment of the ELF file. */
static const Elf32_Phdr *find_segment(const unsigned char *elf, size_t size)
{
	const Elf32_Ehdr *eh = (const void *)elf;
	const Elf32_Phdr *found = NULL, *ph;
	unsigned int i;

	if (size < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) ||
	    eh->e_ident[EI_CLASS] != ELFCLASS32 || eh->e_machine != EM_RISCV)
		die("%s: not a 32-bit RISC-V ELF file", opt.input);
	if (eh->e_phoff > size || eh->e_phnum * sizeof(*ph) > size - eh->e_phoff)
		die("%s: program headers lie outside the file", opt.input);
	ph = (const void *)(elf + eh->e_phoff);
	for (i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (found)
			die("%s: more than one segment to load, expected one", opt.input);
		found = &ph[i];
	}
	if (!found)
		die("%s: no segment to load", opt.input);
	if (found->p_offset > size || found->p_filesz > size - found->p_offset)
		die("%s: its segment lies outside the file", opt.input);
	return found;
}

static void write_image(const unsigned char *image, size_t size)
{
	FILE *f = fopen(opt.output, "wb");

	if (opt.truncate > size)
		die("--truncate=%lu: the image has %zu bytes", opt.truncate, size);
	size -= opt.truncate;
	if (!f || fwrite(image, 1, size, f) != size || fclose(f))
		die("%s: %s", opt.output, strerror(errno));
}

static void make_image(const unsigned char *elf, const Elf32_Phdr *ph)
{
	/* whole words, so that the boot ROM may copy and clear in words */
	size_t payload = (ph->p_filesz + 3) & ~3u;
	struct quill_fw_header h = {
		.magic = opt.magic,
		.header_version = QUILL_FW_HEADER_VERSION,
		.header_size = sizeof(h),
		.hw_major = opt.hw[0],
		.hw_minor = opt.hw[1],
		.abi_major = opt.abi[0],
		.abi_minor = opt.abi[1],
		.version = opt.version[0] << 16 | opt.version[1],
		.payload_size = payload,
		.load_addr = ph->p_vaddr,
		.bss_size = ph->p_memsz > payload ? ph->p_memsz - payload : 0,
		.entry = ((const Elf32_Ehdr *)elf)->e_entry,
	};
	unsigned char *image = calloc(1, sizeof(h) + payload);

	if (!image)
		die("no memory");
	if (sizeof(h) + payload > QUILL_FW_MAX_SIZE)
		die("the image has %zu bytes, at most %u are allowed", sizeof(h) + payload,
		    QUILL_FW_MAX_SIZE);
	memcpy(image + sizeof(h), elf + ph->p_offset, ph->p_filesz);
	h.payload_crc = crc32(image + sizeof(h), payload);
	h.header_crc = crc32(&h, offsetof(struct quill_fw_header, header_crc));
	h.version ^= opt.bad_header;
	image[sizeof(h) + payload / 2] ^= opt.bad_payload;
	memcpy(image, &h, sizeof(h));
	write_image(image, sizeof(h) + payload);
	free(image);
}

static void parse_pair(const char *name, const char *text, unsigned int pair[2])
{
	char end;

	if (sscanf(text, "%u.%u%c", &pair[0], &pair[1], &end) != 2 || pair[0] > 0xffff ||
	    pair[1] > 0xffff)
		die("--%s=%s: expected MAJOR.MINOR, each 0..65535", name, text);
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "version", 1, NULL, 'V' }, { "output", 1, NULL, 'o' },
		{ "abi", 1, NULL, 'a' }, { "hw", 1, NULL, 'w' }, { "magic", 1, NULL, 'm' },
		{ "bad-payload-crc", 0, &opt.bad_payload, 1 },
		{ "bad-header-crc", 0, &opt.bad_header, 1 },
		{ "truncate", 1, NULL, 't' }, { "help", 0, NULL, 'h' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "V:o:h", options, NULL)) != -1) {
		switch (c) {
		case 0: break;
		case 'V': parse_pair("version", optarg, opt.version); break;
		case 'a': parse_pair("abi", optarg, opt.abi); break;
		case 'w': parse_pair("hw", optarg, opt.hw); break;
		case 'o': opt.output = optarg; break;
		case 'm': opt.magic = strtoul(optarg, NULL, 16); break;
		case 't': opt.truncate = strtoul(optarg, NULL, 0); break;
		case 'h': fputs(usage, stdout); exit(0);
		default: fputs(usage, stderr); exit(2);
		}
	}
	if (optind != argc - 1 || !opt.output) {
		fputs(usage, stderr);
		exit(2);
	}
	opt.input = argv[optind];
}

int main(int argc, char **argv)
{
	unsigned char *elf;
	size_t size;

	parse_options(argc, argv);
	elf = read_file(opt.input, &size);
	make_image(elf, find_segment(elf, size));
	free(elf);
	return 0;
}
