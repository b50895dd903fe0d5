/* SPDX-License-Identifier: ISC */
#ifndef STORE_SEEK_H
#define STORE_SEEK_H

#include "store/message.h"
#include "text/scan.h"

/*
 * Looks for all strings of one query in one message: in header fields by
 * name, in the header as a whole, in the body.  Each text is decoded and
 * read once, whatever the number of strings.
 */
enum {
	SEEK_HEADER_MAX = 1024 * 1024,	/* looked into, of one header */
	SEEK_NONE = UINT32_MAX
};

/* The strings that are looked for in fields of one name. */
struct seek_field {
	struct span name;
	bool address;		/* also in the addresses, as an envelope
				   shows them */
	bool known;		/* all fields of that name were seen */
	bool present;		/* and there was one */
	struct span *needle;
	size_t needles, cap;
	struct scan *scan;
};

/* Those looked for in a whole header or body. */
struct seek_text {
	struct span *needle;
	size_t needles, cap;
	struct scan *scan;	/* NULL: none */
	bool known;		/* it was read to its end */
};

struct seek {
	struct arena *mem;
	struct seek_field *field;	/* in the order of their names */
	size_t fields;
	struct seek_text head, body;
	struct casemap_cache *cache;
	size_t done;		/* headers and bodies that became known */
	struct buf raw, plain, utf8;	/* scratch */
};

/* Make the automata, when all needles are there.  False: too many. */
bool seek_ready(struct seek *k);
void seek_free(struct seek *k);

/* Another message: nothing is known. */
void seek_begin(struct seek *k);

/* What the digest has kept of the header. */
void seek_kept(struct seek *k, const struct digest *d);

/*
 * What is not known yet, from the message's text.  more is called between
 * its pieces; false stops it.  -1 with errno if it cannot be read.
 */
int seek_message(struct seek *k, struct message *m, bool (*more)(void *),
    void *arg);

/* Whether something from the text is still to be known. */
bool seek_wants(const struct seek *k);

/* A number that changes whenever more is known. */
size_t seek_news(const struct seek *k);

#endif
