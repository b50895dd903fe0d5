/* SPDX-License-Identifier: ISC */
#ifndef MIME_TREE_H
#define MIME_TREE_H

#include "mime/content.h"
#include "mime/emailid.h"
#include "mime/envelope.h"
#include "mime/parse.h"
#include "mime/structure.h"

/*
 * The parser's state, and the tree of parts that it grows; for parse.c and
 * tree.c alone.  parse.c reads lines and tells tree.c where parts, headers
 * and bodies begin and end.
 */
enum {
	BOUNDARY_MAX = 1000,	/* RFC 2046 5.1.1 has 70 */
	HEADERS_MAX = 4 * 1024 * 1024	/* kept of all headers together */
};

/* A part that can have parts, from the message inwards. */
struct open {
	uint32_t part;
	bool digest;		/* multipart/digest */
	bool closed;		/* after its last boundary */
	struct buf boundary;	/* empty: a message/rfc822 */
};

struct mime_parser {
	bool raw;		/* lone LFs are no CRLF on the wire */
	bool in_header;		/* else in a body */
	bool first;		/* no line of that header was seen */
	bool frozen;		/* no more parts: the last takes the rest */
	uint64_t crs;		/* CRs that the wire has and the file not */
	uint64_t lines;		/* line ends */

	/* The line that is being read, and the end of the one before. */
	uint64_t line, line_wire;
	uint64_t eol, eol_wire;
	uint64_t length;	/* octets of it that were in other pieces */
	bool cr;		/* the last of them was CR */
	bool dash;		/* it begins with "-" */

	uint64_t file;		/* octets fed */
	bool odd;		/* this slice has NULs or 8-bit octets */
	uint64_t nul, high;	/* past the last NUL, the last 8-bit octet */
	uint64_t nul_before, high_before;	/* … before this line */

	size_t header_max;	/* octets of header that are kept */
	size_t header_line;	/* where its last line begins */
	size_t headers;		/* octets kept of all headers */
	bool header_whole;	/* of the message: nothing was cut */

	uint32_t cur;		/* the part that is being read */
	uint32_t parts;
	size_t depth;
	uint64_t lengths;	/* bit n % 64: a boundary of n octets is open */
	int64_t date;
	int32_t date_zone;

	/* From here on memory that the next message uses again. */
	struct buf head;	/* of a line with dash: its first octets */
	struct buf header;	/* of part cur */
	struct buf text, strings, fields, checkpoints;
	struct header_index index;	/* of that header */
	struct envelope_memory envelope;
	struct content content;
	struct part *part;
	uint32_t cap;
	struct open open[MIME_DEPTH_MAX];

	struct emailid emailid;
};

struct place {
	uint64_t file, wire, lines;
};

/* A new part begins at the current line. */
void tree_begin(struct mime_parser *p, uint32_t parent);

/* The header of the current part ended, its body begins at the current
 * line.  That may begin the header of a message inside. */
void tree_header_end(struct mime_parser *p);

/* End whatever is open inside the first depth of the open parts, at a place
 * or at the current line if a header goes on to there. */
void tree_close(struct mime_parser *p, size_t depth, struct place at);

/* Make the part a leaf: text, or else octets that no reader takes apart. */
void tree_leaf(struct mime_parser *p, struct part *n, bool text);

#endif
