/* SPDX-License-Identifier: ISC */
#ifndef MIME_DIGEST_FORM_H
#define MIME_DIGEST_FORM_H

#include "mime/digest.h"

/*
 * What digest.c and parse.c both know: how a digest is laid out.  The head
 * comes first, then the sections that it names, each at a multiple of 8.
 */
enum digest_section { DIGEST_PARTS, DIGEST_STRINGS, DIGEST_ENVELOPE,
	DIGEST_BODY, DIGEST_BODYSTRUCTURE, DIGEST_FIELDS, DIGEST_CHECKPOINTS,
	DIGEST_SECTIONS };

enum { DIGEST_RAW = 1, DIGEST_FIELDS_WHOLE = 2, DIGEST_HAS_BINARY = 4 };

struct digest_head {
	char magic[4];
	uint32_t version;
	uint64_t file_size, wire_size;
	int64_t date;
	int32_t date_zone;
	uint32_t flags;
	uint8_t emailid[16];
	struct digest_str section[DIGEST_SECTIONS];
};

struct digest_checkpoint {
	uint64_t file, wire;
};

#define DIGEST_MAGIC "lmd"

#endif
