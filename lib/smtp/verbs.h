/* SPDX-License-Identifier: ISC */
#ifndef SMTP_VERBS_H
#define SMTP_VERBS_H

#include "smtp/server.h"

/* What the files of the server session share; for them alone. */

/* Lines as long as our paths and all parameters; RFC 4954 4 for AUTH. */
enum {
	SMTP_LINE_MAX = 4096,
	SMTP_BURL_LINE_MAX = 8192 + 16,	/* URLs are long, too; after AUTH */
	SMTP_AUTH_LINE_MAX = 12288
};

/* The commands that have files of their own; args is what follows them. */
void smtp_verb_auth(struct smtp_server *s, struct span args);
void smtp_verb_data(struct smtp_server *s, struct span args);
void smtp_verb_bdat(struct smtp_server *s, struct span args);
void smtp_verb_burl(struct smtp_server *s, struct span args);

/* Write one of the standard replies, or this one; counts refusals that only
 * broken or hostile clients collect. */
void smtp_say(struct smtp_server *s, enum smtp_answer a);
void smtp_say_text(struct smtp_server *s, unsigned code, const char *status,
    const char *text);
void smtp_say_reply(struct smtp_server *s, const struct smtp_reply *r);

/* What a command that belongs into a transaction lacks, or comes too late
 * for. */
enum smtp_answer smtp_out_of_order(const struct smtp_server *s);

/* End the session after what was written. */
void smtp_leave(struct smtp_server *s, enum smtp_bye why);

/* The stream ended or timed out while reading: say 421 where that helps. */
void smtp_lost(struct smtp_server *s);

/* Let the client be silent until then. */
void smtp_patience(struct smtp_server *s);

/* Drop the transaction. */
void smtp_forget(struct smtp_server *s);

#endif
