/* SPDX-License-Identifier: ISC */
#ifndef IMAP_MAILBOX_H
#define IMAP_MAILBOX_H

#include "base/control.h"

/*
 * Mailbox names: on the wire modified UTF-7 with a prefix and a delimiter
 * (RFC 3501 5.1), inside a list of UTF-8 components with one NUL between
 * them.  INBOX has no prefix and no case.
 */
struct imap_space {
	struct span prefix;	/* "" or "INBOX." */
	char delimiter;		/* '/' or '.' */
};

/*
 * Take "INBOX. ." or "/" (the value of the control file "namespace"; the
 * delimiter stands last) apart.  False if it is none.  Borrows value.
 */
bool imap_space_parse(struct span value, struct imap_space *ns);

/* The control file "namespace", whose value is kept in *value as long as ns;
 * without it "/".  False, and ns is "/", if it is none. */
bool imap_space_read(const struct control *c, struct buf *value,
    struct imap_space *ns);

/* What to say then. */
#define IMAP_SPACE_WRONG "the control file namespace is not \"/\", \".\" " \
	"or a prefix, a blank and one of these"

/*
 * Add the components that a wire name stands for to *name.  One delimiter
 * at the end is allowed and dropped (RFC 3501 6.3.3).  False if it is
 * outside of the namespace, or no name: not canonical modified UTF-7, an
 * empty component, "." or "..", a slash or a control character in one.
 */
bool imap_mailbox_decode(const struct imap_space *ns, struct span wire,
    struct buf *name);

/* The same of a name in UTF-8, as IMAP URLs have it (RFC 5092 8).  One with
 * the delimiter inside a component cannot be written so. */
bool imap_mailbox_utf8(const struct imap_space *ns, struct span text,
    struct buf *name);

/* Add such a text for a name.  False if it cannot be written so. */
bool imap_mailbox_text(const struct imap_space *ns, struct span name,
    struct buf *text);

/* Add the wire name to *wire; write it with wire_astring. */
void imap_mailbox_encode(const struct imap_space *ns, struct span name,
    struct buf *wire);

#endif
