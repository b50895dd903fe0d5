/* SPDX-License-Identifier: ISC */
#ifndef MIME_CONTENT_H
#define MIME_CONTENT_H

#include "mime/digest.h"
#include "mime/header.h"
#include "mime/param.h"

/*
 * What the header of one part says about its body: RFC 2045, 2046, 2183,
 * 3282, 1864, 2557.  Spans are borrowed from the header.  { 0 } is an
 * empty one; it may be read into again and again.
 */
struct content {
	struct span field[8];	/* values by enum content_field; p NULL: none */
	struct buf type, subtype;	/* lower case, never empty */
	struct buf charset, boundary;
	struct buf encoding;	/* lower case, never empty */
	enum mime_encoding known_encoding;
	bool typed;		/* there was a Content-Type that can be read */
	struct param_list list;	/* memory */
};

/* in_digest: without a type it is a message (RFC 2046 5.1.5). */
void content_read(struct content *c, const struct header_index *header,
    bool in_digest);
void content_free(struct content *c);

/* For BODY and BODYSTRUCTURE, each with a blank before every string: the
 * parameter list; id, description and encoding; MD5; disposition, language
 * and location. */
void content_params(struct content *c, struct buf *to);
void content_about(const struct content *c, struct buf *to);
void content_md5(const struct content *c, struct buf *to);
void content_extension(struct content *c, struct buf *to);

#endif
