/* SPDX-License-Identifier: ISC */
#include "url/resolve.h"

#include <errno.h>

bool
url_name(const struct imap_space *space, const struct imap_url *u,
    struct buf *name)
{
	return u->mailbox.p != NULL &&
	    imap_mailbox_utf8(space, u->mailbox, name);
}

static enum store_result
open_mailbox(struct store *st, const struct imap_space *space,
    const struct imap_url *u, struct mailbox **mb)
{
	struct buf name = { 0 };
	enum store_result r = STORE_NONEXISTENT;

	if (url_name(space, u, &name))
		r = mailbox_open(st, buf_span(&name), RIGHT_READ, mb);
	buf_free(&name);
	return r;
}

/* The view that the URL is about. */
static enum store_result
find_view(struct store *st, const struct imap_space *space,
    const struct imap_url *u, struct view *selected, struct resolved *r)
{
	enum store_result e;

	if (u->uid == 0)
		return STORE_NONEXISTENT;
	if (!u->absolute && u->mailbox.p == NULL) {
		r->view = selected;
		return selected == NULL ? STORE_NONEXISTENT : STORE_OK;
	}
	e = open_mailbox(st, space, u, &r->mb);
	if (e == STORE_OK)
		e = view_open(r->mb, &r->view);
	if (e == STORE_OK && u->uidvalidity != 0 &&
	    u->uidvalidity != view_uidvalidity(r->view))
		e = STORE_NONEXISTENT;
	return e;
}

void
url_range(const struct imap_url *u, uint64_t size, uint64_t *from,
    uint64_t *n)
{
	*from = 0;
	*n = size;
	if (!u->partial)
		return;
	/* RFC 5092 6: beyond the end there is nothing, and that is no
	 * mistake. */
	*from = u->offset < size ? u->offset : size;
	*n = size - *from;
	if (u->length != 0 && u->length < *n)
		*n = u->length;
}

enum store_result
url_resolve(struct store *st, const struct imap_space *space,
    const struct imap_url *u, struct view *selected, struct resolved *r)
{
	uint64_t size;

	*r = (struct resolved){ 0 };
	enum store_result e = find_view(st, space, u, selected, r);

	if (e == STORE_OK && view_seq(r->view, u->uid) == 0)
		e = STORE_NONEXISTENT;
	if (e == STORE_OK)
		e = message_open(r->view, u->uid, &r->message);
	if (e == STORE_EXPUNGED || e == STORE_CHANGED)
		return STORE_NONEXISTENT;
	if (e != STORE_OK)
		return e;
	r->piece = piece_find(message_digest(r->message), &u->section);
	if (r->piece.kind == PIECE_NIL)
		return STORE_NONEXISTENT;
	if (piece_size(&r->piece, r->message, &size) != 0)
		return STORE_ERROR;
	url_range(u, size, &r->from, &r->n);
	return STORE_OK;
}

enum store_result
resolved_decode(struct resolved *r, const struct imap_url *u)
{
	struct piece c;
	uint64_t size;

	if (u->section.kind != SECTION_ALL)
		return STORE_OK;
	c = piece_binary(message_digest(r->message), &u->section);
	if (c.kind == PIECE_UNKNOWN)
		return STORE_CANNOT;
	if (piece_size(&c, r->message, &size) != 0)
		return errno == EBADMSG ? STORE_CANNOT : STORE_ERROR;
	r->piece = c;
	url_range(u, size, &r->from, &r->n);
	return STORE_OK;
}

bool
resolved_is_decoded(const struct resolved *r)
{
	return r->piece.kind == PIECE_DECODED;
}

int
resolved_read(const struct resolved *r, fields_sink *sink, void *arg)
{
	return piece_read(&r->piece, r->message, r->from, r->n, sink, arg);
}

void
resolved_free(struct resolved *r)
{
	if (r->message != NULL)
		message_close(r->message);
	if (r->mb != NULL) {
		view_close(r->view);
		mailbox_close(r->mb);
	}
	*r = (struct resolved){ 0 };
}
