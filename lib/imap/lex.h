/* SPDX-License-Identifier: ISC */
#ifndef IMAP_LEX_H
#define IMAP_LEX_H

#include "base/arena.h"
#include "base/set.h"

/*
 * Reads one command, left to right, as the grammar of RFC 3501 section 9
 * names things.  The first mistake sticks: every later call does nothing
 * and returns an empty value, so a handler parses straight through and asks
 * lex_end once.
 *
 * A literal is read when the grammar comes to it: lex.more fetches its
 * octets and the line after it (imap/reader.h), with everything bounded.
 * What is returned lives in the arena or in memory with the same life, so
 * it is good until the command's tagged reply.
 */
enum {
	LEX_DEPTH_MAX = 50,	/* parentheses in each other */
	LEX_FLAGS_MAX = 1000	/* flags in one list */
};

struct lex_literal {
	uint64_t n;		/* octets announced */
	bool sync;		/* the client waits for "+ " before it sends */
	bool binary;		/* literal8, RFC 3516 */
};

/*
 * Fetch the literal just announced to *octets and what follows it, up to
 * the next line end, to *rest.  NULL, or why not (a fixed sentence).
 */
typedef const char *lex_more(void *ctx, const struct lex_literal *literal,
    struct span *octets, struct span *rest);

struct lex {
	struct span in;		/* what is left of this line */
	const char *error;	/* NULL, or why this is a BAD command */
	struct arena *arena;
	lex_more *more;		/* NULL: literals are mistakes */
	void *ctx;
	unsigned depth;		/* open parentheses */
};

void lex_fail(struct lex *l, const char *why);	/* why: a fixed sentence */
bool lex_ok(const struct lex *l);

/* All was well and used up, line and parentheses. */
bool lex_end(struct lex *l);

/* --- punctuation --- */
void lex_space(struct lex *l);			/* exactly one */
void lex_char(struct lex *l, char c);		/* that character */
bool lex_try(struct lex *l, char c);		/* take it if it is next */
bool lex_next(const struct lex *l, char c);	/* is it next? takes nothing */
void lex_open(struct lex *l);			/* "(", bounded in depth */
void lex_close(struct lex *l);			/* ")" */

/* Take that word (any case) if it is next, and no atom character follows. */
bool lex_word(struct lex *l, const char *word);

/* Letters, digits, "." and "-": a FETCH item before its "[". */
struct span lex_name(struct lex *l);

/* --- words --- */
struct span lex_tag(struct lex *l);		/* RFC 3501 tag */
struct span lex_atom(struct lex *l);
struct span lex_astring(struct lex *l);
struct span lex_string(struct lex *l);		/* quoted or literal */
struct span lex_nstring(struct lex *l);		/* NIL has p == NULL */
struct span lex_list_mailbox(struct lex *l);	/* a LIST pattern */

/* The next argument is a literal: its announcement, which ends the line.
 * Takes the announcement only, for who reads the octets himself; false and
 * a mistake if it is anything else. */
bool lex_announce(struct lex *l, struct lex_literal *literal);

/* --- numbers --- */
uint32_t lex_number(struct lex *l);
uint32_t lex_nz_number(struct lex *l);		/* 0 only on a mistake */
uint64_t lex_number64(struct lex *l);		/* below 2^63 */

/*
 * A sequence set as it was written: 0 stands for "*".  seqset_add makes
 * numbers of it.  star is the largest number in use, 0 in an empty mailbox.
 * False if a number (or "*", when nothing is in use) is above max: of
 * sequence numbers that is a mistake; of UIDs it is not, pass UINT32_MAX.
 */
struct seqset {
	struct range *r;
	size_t n;
};
struct seqset lex_seqset(struct lex *l);
bool seqset_add(const struct seqset *q, uint32_t star, uint32_t max,
    struct set *to);

/* --- flags --- */
enum {
	FLAG_SEEN = 1, FLAG_ANSWERED = 2, FLAG_FLAGGED = 4,
	FLAG_DELETED = 8, FLAG_DRAFT = 16, FLAG_RECENT = 32
};
struct flags {
	uint32_t system;		/* FLAG_* */
	struct span *keyword;		/* each once, ASCII case ignored */
	size_t keywords;
};
/* "(\Seen $Forwarded)"; with bare also without the parentheses, as STORE
 * has it.  \Recent and unknown \words are mistakes. */
struct flags lex_flags(struct lex *l, bool bare);

/* --- dates --- */
int64_t lex_date(struct lex *l);	/* days since 1970; 1-Feb-1994 */
int64_t lex_date_time(struct lex *l);	/* seconds since 1970, UTC */

/* What may stand in an atom (RFC 3501 ATOM-CHAR), in an astring. */
bool lex_atom_char(char c);
bool lex_astring_char(char c);

#endif
