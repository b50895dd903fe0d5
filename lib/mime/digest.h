/* SPDX-License-Identifier: ISC */
#ifndef MIME_DIGEST_H
#define MIME_DIGEST_H

#include "base/buf.h"

/*
 * The digest of a message: all that IMAP asks of it without its text, made
 * in one pass over its octets (mime/parse.h) and kept in the index.  It is
 * one run of octets in the machine's byte order; digest_open checks every
 * offset in it, since an index is input like any other.
 *
 * "File" offsets count octets as stored, "wire" offsets octets as IMAP
 * shows them: in a file of LF lines each lone LF is CRLF on the wire.
 */
enum { DIGEST_VERSION = 1 };

enum mime_kind { PART_LEAF, PART_MULTIPART, PART_MESSAGE };

enum mime_encoding { ENC_7BIT, ENC_8BIT, ENC_BINARY, ENC_QP, ENC_BASE64,
	ENC_UNKNOWN };

/* A string of a part: offset and length, to be read by digest_string. */
struct digest_str {
	uint32_t at, n;
};

/*
 * Parts are numbered in the order in which they begin; 0 is the message.
 * A message/rfc822 part has one child: the message inside, whose header is
 * [header, body) of that child.  0 as child or next means none.  A
 * multipart without a single part in it is a leaf, text/plain.
 *
 * Packed, since LMDB aligns nothing: never take the address of a member.
 */
struct __attribute__((packed)) digest_part {
	uint64_t file_header, file_body, file_end;
	uint64_t wire_header, wire_body, wire_end;
	uint32_t lines;		/* lines of the body on the wire */
	uint32_t parent, child, next;
	uint8_t kind;		/* enum mime_kind */
	uint8_t encoding;	/* enum mime_encoding */
	uint8_t flags;		/* PART_* below */
	uint8_t pad;
	struct digest_str type, subtype;	/* lower case */
	struct digest_str charset;	/* of text/…, as given; may be empty */
};

enum {
	PART_HAS_NUL = 1,	/* the body has a NUL octet */
	PART_HAS_8BIT = 2,	/* the body has octets above 127 */
	PART_TRUNCATED = 4	/* limits were reached inside: shown as a leaf */
};

struct digest {
	struct span raw;
	bool raw_eol;		/* file and wire are the same octets */
	uint64_t file_size, wire_size;
	uint32_t parts;
	const struct digest_part *part;		/* [parts] */
	struct span envelope;	/* RFC 3501 envelope, wire form, (…) */
	struct span body;	/* BODY, wire form, (…) */
	struct span bodystructure;	/* BODYSTRUCTURE, wire form, (…) */
	struct span fields;	/* kept header fields, wire form: see below */
	bool fields_whole;	/* false: the header was too long to keep all
				   of those that digest_keeps says */
	bool has_binary;	/* some part is declared binary */
	int64_t date;		/* Date: in UTC seconds, or INT64_MIN */
	int32_t date_zone;	/* its zone, minutes east */
	uint8_t emailid[16];	/* of SHA-256 over the wire octets */
	struct span checkpoints;	/* see digest_file_offset */
	struct span strings;	/* see digest_string */
};

/* Check and read.  False if it is of another version or damaged: make it
 * anew from the message.  d borrows raw. */
bool digest_open(struct span raw, struct digest *d);

/*
 * The part that a section number names (RFC 3501 6.4.5): path of n numbers,
 * each from 1.  NULL if there is none.  n == 0 is the message itself.  "1"
 * of a message without multipart is its body: *body_of is true if only the
 * body of that part is meant and it has no MIME header of its own.
 */
const struct digest_part *digest_find(const struct digest *d,
    const uint32_t *path, size_t n, bool *body_of);

struct span digest_string(const struct digest *d, struct digest_str s);

/* Whether all header fields of that name are in d->fields (if the digest has
 * fields_whole).  Those kept are what clients list messages by: see
 * digest.c. */
bool digest_keeps(struct span name);

/* Add every field of that name (any case) of the message's header to *to,
 * as stored in d->fields: complete with name, folds and CRLF. */
void digest_field(const struct digest *d, struct span name, struct buf *to);

/* The file offset of a wire offset, at or before it, from which a reader
 * counts on: *wire_at <= wire is where that file offset is on the wire.
 * Never more than some 64 KiB of the file before, and never between the CR
 * and the LF of one line end. */
uint64_t digest_file_offset(const struct digest *d, uint64_t wire,
    uint64_t *wire_at);

#endif
