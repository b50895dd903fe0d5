/* SPDX-License-Identifier: ISC */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "store/view.h"

/*
 * What SEARCH asks, without any protocol's syntax.  Sequence sets, RECENT
 * and the like are turned into UID sets by the caller.  Text is UTF-8 and
 * compared as substring with i;unicode-casemap after decoding (RFC 2047,
 * transfer encoding, charset); where the message's own text cannot be
 * decoded its octets are.
 */
enum query_op {
	QUERY_ALL,
	QUERY_AND, QUERY_OR,	/* over .sub, .next; empty AND is true */
	QUERY_NOT,		/* of .sub */
	QUERY_UIDS,		/* .uids */
	QUERY_FLAGS,		/* all of .flags are set */
	QUERY_KEYWORD,		/* .text is a keyword's name */
	QUERY_BEFORE, QUERY_ON, QUERY_SINCE,	/* internal date, .number is
				   days since 1970, zone disregarded */
	QUERY_SENTBEFORE, QUERY_SENTON, QUERY_SENTSINCE,	/* Date: */
	QUERY_LARGER, QUERY_SMALLER,	/* .number octets on the wire */
	QUERY_MODSEQ,		/* .number: MODSEQ is at least that */
	QUERY_HEADER,		/* field .name contains .text ("": exists) */
	QUERY_ADDRESS,		/* as HEADER, of an address field: also the
				   decoded forms, as the envelope shows them */
	QUERY_BODY,		/* some text part contains .text */
	QUERY_TEXT		/* header or body contains .text */
};

struct query {
	enum query_op op;
	struct query *sub, *next;
	const struct set *uids;
	uint32_t flags;
	uint64_t number;
	struct span name, text;
};

/* The UIDs of the view that match, added to *hits.  Cheap criteria are tried
 * first, files opened last.  tick (may be NULL) is called now and then; it
 * returns false to give up (STORE_INUSE): the client is gone. */
enum store_result view_search(struct view *v, const struct query *q,
    bool (*tick)(void *), void *arg, struct set *hits);

#endif
