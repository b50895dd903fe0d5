/* SPDX-License-Identifier: ISC */
#ifndef IMAP_SEARCH_H
#define IMAP_SEARCH_H

#include "imap/lex.h"

/*
 * A SEARCH program (RFC 3501 6.4.4) as a tree in the lexer's arena.  Keys
 * that RFC 3501 defines by others come as those: UNSEEN is NOT SEEN, NEW is
 * RECENT and NOT SEEN.  Strings are as the client wrote them, in the charset
 * that it named.
 */
enum search_op {
	SEARCH_ALL,
	SEARCH_AND, SEARCH_OR, SEARCH_NOT,	/* of .sub, .next */
	SEARCH_NUMBERS, SEARCH_UIDS,		/* .set */
	SEARCH_FLAG,				/* .flag is set */
	SEARCH_RECENT,
	SEARCH_KEYWORD,				/* .text */
	SEARCH_BEFORE, SEARCH_ON, SEARCH_SINCE,		/* .day */
	SEARCH_SENTBEFORE, SEARCH_SENTON, SEARCH_SENTSINCE,
	SEARCH_LARGER, SEARCH_SMALLER,		/* .number */
	SEARCH_HEADER,				/* .name, .text */
	SEARCH_ADDRESS,				/* the same: FROM TO CC BCC */
	SEARCH_BODY, SEARCH_TEXT		/* .text */
};

struct search_key {
	enum search_op op;
	struct search_key *sub, *next;
	struct seqset set;
	uint32_t flag;		/* FLAG_* */
	int64_t day;		/* since 1970 */
	uint64_t number;
	struct span name, text;
};

struct search {
	struct span charset;	/* p == NULL: none was named */
	struct search_key *key;	/* an AND of the keys given */
	bool numbers;		/* there are message sequence numbers */
};

enum { SEARCH_KEYS_MAX = 10000 };

/*
 * Everything after the word SEARCH, which begins with a space.  Result
 * options (RFC 4731) would stand before it and are the caller's.  Nesting is
 * bounded by the lexer for parentheses and costs no stack for NOT and OR.
 * On a mistake the lexer has it, and the tree is empty.
 */
void search_parse(struct lex *l, struct search *to);

#endif
