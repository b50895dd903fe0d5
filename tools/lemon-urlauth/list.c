/* SPDX-License-Identifier: ISC */
/* What messages a mailbox has, so that one can be named. */
#include "base/civil.h"
#include "base/log.h"
#include "house.h"
#include "mime/header.h"
#include "text/header.h"

enum { SHOWN = 20, FIELD_SHOWN = 100 };

static void
add_date(struct buf *to, int64_t t)
{
	int64_t year, day = t / 86400 - (t % 86400 < 0);
	int month, date;

	if (t == INT64_MIN) {
		buf_adds(to, "no date");
		return;
	}
	civil_date(day, &year, &month, &date);
	buf_addf(to, "%04lld-%02d-%02d", (long long)year, month, date);
}

static void
add_field(struct buf *to, const struct digest *d, struct span name)
{
	struct buf field = { 0 }, text = { 0 };
	struct span value;

	digest_field(d, name, &field);
	buf_adds(to, ", ");
	if (header_find(buf_span(&field), name, &value)) {
		header_decode(value, &text);
		log_text(to, span_trim(buf_span(&text)), FIELD_SHOWN);
	}
	buf_free(&field);
	buf_free(&text);
}

/* What is gone by now has no line. */
static enum store_result
list_message(struct view *v, uint32_t uid, struct buf *to)
{
	struct buf line = { 0 };	/* log_text's limit is of one */
	struct message *m;
	enum store_result r = message_open(v, uid, &m);

	if (r == STORE_EXPUNGED || r == STORE_CHANGED)
		return STORE_OK;
	if (r != STORE_OK)
		return r;
	const struct digest *d = message_digest(m);

	buf_addf(&line, "  message %lu: ", (unsigned long)uid);
	add_date(&line, d->date);
	add_field(&line, d, SPAN("From"));
	add_field(&line, d, SPAN("Subject"));
	buf_addc(&line, '\n');
	message_close(m);
	buf_add(to, buf_span(&line));
	buf_free(&line);
	return STORE_OK;
}

static enum store_result
list_view(struct view *v, struct buf *to)
{
	uint32_t n = view_exists(v);
	enum store_result r = STORE_OK;

	buf_addf(to, ": %lu message%s%s\n", (unsigned long)n,
	    n == 1 ? "" : "s", n > SHOWN ? ", of which the newest are" : "");
	for (uint32_t i = n > SHOWN ? n - SHOWN : 0; i < n && r == STORE_OK;
	    i++)
		r = list_message(v, view_uid(v, i + 1), to);
	return r;
}

enum store_result
house_mailbox(struct house *h, const struct imap_url *u,
    struct mailbox **mb)
{
	struct buf name = { 0 };
	enum store_result r = STORE_NONEXISTENT;

	if (url_name(&h->space, u, &name))
		r = mailbox_open(h->store, buf_span(&name), RIGHT_READ, mb);
	buf_free(&name);
	return r;
}

enum store_result
list_mailbox(struct house *h, const struct imap_url *u, struct buf *to)
{
	struct mailbox *mb;
	struct view *v;
	enum store_result r = house_mailbox(h, u, &mb);

	if (r != STORE_OK)
		return r;
	r = view_open(mb, &v);
	if (r == STORE_OK) {
		r = u->uidvalidity != 0 &&
		    u->uidvalidity != view_uidvalidity(v) ?
		    STORE_NONEXISTENT : list_view(v, to);
		view_close(v);
	}
	mailbox_close(mb);
	return r;
}
