/* SPDX-License-Identifier: ISC */
/* A damaged index gives damaged digests: what digest_open lets pass can be
 * walked and read to its last offset.  The input is a digest, or what to
 * change in a good one: triples of place (two octets) and value. */
#include <stdlib.h>

#include "mime/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char letter[] =
    "Subject: one\r\nFrom: a@b\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    "--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ntext\r\n"
    "--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ntwo\r\n"
    "--x--\r\n";

static uint64_t sum;

static void
use(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		sum += (unsigned char)s.p[i];
}

static void
part(const struct digest *d, uint32_t i)
{
	const struct digest_part *q = &d->part[i];

	use(digest_string(d, q->type));
	use(digest_string(d, q->subtype));
	use(digest_string(d, q->charset));
	for (uint32_t c = q->child, n = 0; c != 0; c = d->part[c].next)
		if (n++ > d->parts)
			abort();
}

static void
try(struct span raw)
{
	static const uint32_t path[][3] = { { 1, 1, 1 }, { 2, 1, 9 },
		{ 3, 2, 1 } };
	struct buf field = { 0 };
	struct digest d;
	uint64_t at;
	bool body;

	if (!digest_open(raw, &d))
		return;
	use(d.envelope);
	use(d.body);
	use(d.bodystructure);
	use(d.fields);
	for (uint32_t i = 0; i < d.parts; i++)
		part(&d, i);
	for (size_t i = 0; i < COUNT(path); i++)
		for (size_t n = 0; n <= 3; n++) {
			const struct digest_part *q =
			    digest_find(&d, path[i], n, &body);

			if (q != NULL && (q < d.part ||
			    q >= d.part + d.parts))
				abort();
		}
	digest_field(&d, SPAN("subject"), &field);
	for (uint64_t w = 0; w <= d.wire_size; w = w * 2 + 1)
		if (digest_file_offset(&d, w, &at) > d.file_size || at > w)
			abort();
	buf_free(&field);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct mime_parser *m = mime_parser_new(true);
	struct buf good = { 0 };

	try((struct span){ (const char *)p, n });
	mime_parser_feed(m, SPAN(letter));
	mime_parser_finish(m, &good);
	mime_parser_free(m);
	for (; n >= 3; p += 3, n -= 3)
		good.p[(size_t)(p[0] * 256 + p[1]) % good.n] = (char)p[2];
	try(buf_span(&good));
	buf_free(&good);
	return 0;
}
