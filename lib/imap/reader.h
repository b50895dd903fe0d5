/* SPDX-License-Identifier: ISC */
#ifndef IMAP_READER_H
#define IMAP_READER_H

#include "imap/lex.h"
#include "net/stream.h"

/*
 * Reads commands off a connection: a line, and the literals in it as the
 * lexer comes to them.  Whatever becomes of a command, reader_finish leaves
 * the stream at the beginning of the next one: a non-synchronising literal
 * that nobody wanted is read and dropped, never taken for a command, and a
 * synchronising one is not asked for.
 *
 * Memory is bounded: line octets for a line, total octets for all lines and
 * literals of one command.  Literals that a handler takes for itself with
 * reader_pull (messages) do not count, and are never held here.
 */
struct reader {
	struct in *in;
	struct out *out;
	struct arena *arena;
	size_t line_max, total_max;
	uint64_t skip_max;	/* most that is read and dropped */
	int64_t patience;	/* ms: reader_pull sets the deadline anew for
				   each STREAM_BUFFER octets; 0: the whole
				   command has one */
	bool answers;		/* these are a server's answers: literals come
				   unasked */

	struct buf line;	/* the line being read */
	size_t used;		/* of total_max, by this command */
	uint64_t skipped;	/* of skip_max, by this command */
	struct span last;	/* the line read last; its literal is next */
	bool inside;		/* in a literal, or just behind it */
	uint64_t pending;	/* octets of that literal still to be read */
	size_t pulled;		/* octets since the deadline was set */
};

/*
 * The next command's first line (without its end), and a lexer on it.
 * READER_BAD: a line too long or without CR, *why says it; l->in holds its
 * beginning, so that its tag can be answered.  READER_END: the stream ended,
 * failed or timed out; in->state says.
 */
enum reader_result { READER_OK, READER_BAD, READER_END };
enum reader_result reader_command(struct reader *r, struct lex *l,
    const char **why);

/* To the beginning of the next command.  False if that cannot be: say BYE
 * and close. */
bool reader_finish(struct reader *r);

/*
 * A literal that streams: after lex_announce, reader_accept sends "+ " if
 * the client waits for it, reader_pull gives the octets in pieces (empty
 * when all were given or the stream ended: reader_pulled tells), and
 * reader_after reads the rest of the line for the lexer to go on with.  NUL
 * is passed on: only binary literals may hold it, the caller decides.
 */
void reader_accept(struct reader *r, const struct lex_literal *literal);
struct span reader_pull(struct reader *r);
bool reader_pulled(const struct reader *r);
void reader_after(struct reader *r, struct lex *l);

/* A line that is no command (AUTHENTICATE's responses, IDLE's DONE).  If it
 * is a command all the same reader_finish drops its literals. */
enum reader_result reader_line(struct reader *r, struct span *line,
    const char **why);

/* The literal that a line's end announces: "{12}", "{12+}", "~{12}". */
bool reader_announced(struct span line, struct lex_literal *literal);

/* Leave nothing of the commands so far in memory; the arena is reset. */
void reader_wipe(struct reader *r);

void reader_free(struct reader *r);

#endif
