/* SPDX-License-Identifier: ISC */
#ifndef STORE_SUBSCRIPTIONS_H
#define STORE_SUBSCRIPTIONS_H

#include "store/internal.h"

/*
 * Maildir/subscriptions in the form of Dovecot ("V", tab, "2", an empty
 * line, then a name a line, its components in modified UTF-7 with tabs
 * between them).  Dovecot's first form and, where there is no such file,
 * courierimapsubscribed are read too; what is written is the newer form.
 */
struct subscription {
	struct span name;
	struct span line;	/* as it stands in a file of the newer form,
				   else empty */
};

struct subscriptions {
	struct arena mem;
	struct subscription *sub;
	size_t n;
};

/* *s is filled anew, and empty on failure; free it in any case. */
enum store_result subscriptions_read(struct store *st,
    struct subscriptions *s);
void subscriptions_free(struct subscriptions *s);

/* Add the names of a file's text. */
enum subscription_form { SUBS_DOVECOT, SUBS_COURIER };
void subscriptions_parse(struct subscriptions *s, struct span text,
    enum subscription_form form);

#endif
