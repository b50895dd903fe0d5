/* SPDX-License-Identifier: ISC */
#include "recode.h"

#include "../../t.h"

/*
 * Messages for a transport of 7 or 8 bits (recode, transport, places and
 * domain): what becomes of them, whole and octet by octet.  And any message
 * at all: each leaf decodes to what it was.
 */
#define S(lit) { (lit), sizeof(lit) - 1 }
#define BIN "Content-Transfer-Encoding: binary\r\n"
#define MIX "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"

#define SEVENTY "0123456789012345678901234567890123456789" \
	"012345678901234567890123456789"

static const struct {
	const char *name;
	struct span in;
	bool eightbit;
	enum transport_verdict verdict;
	struct span out;	/* of TRANSPORT_RECODE */
} cases[] = {
	{ "7-bit lines stay as they are", S("Subject: x\r\n\r\nhi\r\n"),
	    false, TRANSPORT_FITS, S("") },
	{ "8-bit lines stay for 8 bits", S("Subject: x\r\n\r\nh\xe9\r\n"),
	    true, TRANSPORT_FITS, S("") },
	{ "text that says nothing of MIME says so when it is encoded",
	    S("Subject: x\r\n\r\nhello caf\xe9\r\n"), false, TRANSPORT_RECODE,
	    S("Subject: x\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=unknown-8bit\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "hello caf=E9\r\n") },
	{ "text that is mostly not ASCII becomes base64",
	    S("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=x\r\n"
	    "content-transfer-encoding:\r\n 8bit\r\nTo: y\r\n\r\n"
	    "\xe9\xe9\xe9\r\n"), false, TRANSPORT_RECODE,
	    S("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=x\r\n"
	    "content-transfer-encoding: base64\r\nTo: y\r\n\r\n"
	    "6enpDQo=\r\n") },
	{ "text without a last line end does not get one",
	    S("\r\nhello caf\xe9"), false, TRANSPORT_RECODE,
	    S("MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=unknown-8bit\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "hello caf=E9=\r\n") },
	{ "a binary body becomes base64, line ends and all",
	    S("Content-Type: image/gif\r\n" BIN "\r\n\0\r\xff\n"), true,
	    TRANSPORT_RECODE, S("Content-Type: image/gif\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nAA3/Cg==\r\n") },
	{ "binary text with LF line ends does, too",
	    S("Content-Type: text/plain\r\n" BIN "\r\na\nb"), true,
	    TRANSPORT_RECODE, S("Content-Type: text/plain\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nYQpi\r\n") },
	{ "binary that is lines is only relabelled",
	    S("Content-Type: text/plain\r\n" BIN "\r\n\xe9\r\n"), true,
	    TRANSPORT_RECODE, S("Content-Type: text/plain\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n\xe9\r\n") },
	{ "so it is for 7 bits",
	    S("Content-Type: text/plain\r\n" BIN "\r\na\r\n"), false,
	    TRANSPORT_RECODE, S("Content-Type: text/plain\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n\r\na\r\n") },
	{ "parts are encoded one by one, what holds them is relabelled",
	    S(MIX BIN "\r\nwhatever\r\n"
	    "--b\r\n\r\nplain\r\n"
	    "--b\r\nContent-Type: image/gif\r\n" BIN "\r\n\n\r\n"
	    "--b\r\nContent-Type: message/rfc822\r\n" BIN "\r\n"
	    "Subject: in\r\nContent-Type: text/plain\r\n\r\n12345 \xe9\r\n"
	    "--b--\r\n.\r\n"), false, TRANSPORT_RECODE,
	    S(MIX "Content-Transfer-Encoding: 7bit\r\n\r\nwhatever\r\n"
	    "--b\r\n\r\nplain\r\n"
	    "--b\r\nContent-Type: image/gif\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nCg==\r\n\r\n"
	    "--b\r\nContent-Type: message/rfc822\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n\r\n"
	    "Subject: in\r\nContent-Type: text/plain\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "12345 =E9\r\n--b--\r\n.\r\n") },
	{ "a line that is broken does not end its part",
	    S(MIX "\r\n--b\r\n\r\n" SEVENTY "\xe9" "34--b\r\n--b--\r\n"),
	    false, TRANSPORT_RECODE,
	    S(MIX "\r\n--b\r\nContent-Transfer-Encoding: quoted-printable\r\n"
	    "\r\n" SEVENTY "=E934=\r\n=2D-b\r\n--b--\r\n") },
	{ "a part without a header gets one",
	    S(MIX "\r\n--b\r\n\r\n12345\xe9\r\n--b--\r\n"), false,
	    TRANSPORT_RECODE,
	    S(MIX "\r\n--b\r\nContent-Transfer-Encoding: quoted-printable\r\n"
	    "\r\n12345=E9\r\n--b--\r\n") },
	{ "a part whose header does not end gets an end",
	    S(MIX "\r\n--b\r\nX: y\r\n--c\xe9\n\r\n--b--\r\n"), true,
	    TRANSPORT_RECODE,
	    S(MIX "\r\n--b\r\nX: y\r\nContent-Transfer-Encoding: base64\r\n"
	    "\r\nLS1j6Qo=\r\n\r\n--b--\r\n") },
	{ "so does one with a message in it that begins there",
	    S("Content-Type: message/rfc822\r\n--x \xe9 and more\r\n"),
	    false, TRANSPORT_RECODE,
	    S("Content-Type: message/rfc822\r\n\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=unknown-8bit\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "--x =E9 and more\r\n") },
	{ "base64 with LF line ends is made anew, not nested",
	    S("Content-Type: image/gif\r\nContent-Transfer-Encoding: base64"
	    "\r\n\r\nQU\nJD\n"), true, TRANSPORT_RECODE,
	    S("Content-Type: image/gif\r\nContent-Transfer-Encoding: base64"
	    "\r\n\r\nQUJD\r\n") },
	{ "quoted-printable with 8 bits becomes base64 of what it meant",
	    S("Content-Transfer-Encoding: quoted-printable\r\n\r\n=41\xe9"),
	    false, TRANSPORT_RECODE,
	    S("Content-Transfer-Encoding: base64\r\n\r\nQek=\r\n") },
	{ "names that only begin alike are other fields",
	    S("Content-Transfer-Encodings: x\r\nContent-T: y\r\n"
	    "Content-Type\r\nMIME-Versio: z\r\n" BIN "\r\na\nb"), true,
	    TRANSPORT_RECODE,
	    S("Content-Transfer-Encodings: x\r\nContent-T: y\r\n"
	    "Content-Type\r\nMIME-Versio: z\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nYQpi\r\n") },
	{ "what is signed is not touched",
	    S("Content-Type: multipart/signed; boundary=b\r\n\r\n"
	    "--b\r\n\r\n\xe9\r\n--b\r\n\r\nsig\r\n--b--\r\n"), false,
	    TRANSPORT_CANNOT, S("") },
	{ "not even its labels",
	    S("Content-Type: multipart/signed; boundary=b\r\n\r\n"
	    "--b\r\n" BIN "\r\nx\r\n--b\r\n\r\nsig\r\n--b--\r\n"), false,
	    TRANSPORT_FITS, S("") },
	{ "what is encrypted is octets like others",
	    S("Content-Type: multipart/encrypted; boundary=b\r\n\r\n"
	    "--b\r\nContent-Type: application/octet-stream\r\n" BIN "\r\n\n"
	    "\r\n--b--\r\n"), true, TRANSPORT_RECODE,
	    S("Content-Type: multipart/encrypted; boundary=b\r\n\r\n"
	    "--b\r\nContent-Type: application/octet-stream\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nCg==\r\n"
	    "\r\n--b--\r\n") },
	{ "a message/partial cannot be encoded",
	    S("Content-Type: message/partial\r\n\r\n\xe9\r\n"), false,
	    TRANSPORT_CANNOT, S("") },
	{ "nor can what has an encoding that nobody knows",
	    S("Content-Transfer-Encoding: x-y\r\n\r\n\xe9\r\n"), false,
	    TRANSPORT_CANNOT, S("") },
	{ "nor a multipart without parts",
	    S("Content-Type: multipart/mixed; boundary=b\r\n\r\n\xe9\r\n"),
	    false, TRANSPORT_CANNOT, S("") },
	{ "octets above 127 in a header have no encoding here",
	    S("Subject: \xe9\r\n\r\nx\r\n"), false, TRANSPORT_CANNOT, S("") },
	{ "a bare LF in a header is refused",
	    S("Subject: x\nY: z\r\n\r\nx\r\n"), true, TRANSPORT_BARE, S("") },
	{ "and so is a CR before a boundary",
	    S(MIX "\r\nx\r\r\n--b\r\n\r\n--b--\r\n"), true, TRANSPORT_BARE,
	    S("") },
};

/* Any message of these pieces. */
static void
chance(struct buf *to)
{
	static const struct span piece[] = {
		S("\r\n"), S("\r\n"), S("\r\n--b\r\n"), S("\r\n--b\r\n\r\n"),
		S("\r\n--c\r\n"), S("\r\n--b--\r\n"), S("text = .\r\n"), S("\xe9"),
		S("\n"), S("\r"), S("\0"), S(" \r\n"), S("a"), S(BIN),
		S("Content-Type: image/gif\r\n"), S("Content-Type: text/x\r\n"),
		S("Content-Transfer-Encoding: 8bit\r\n"), S("QUJD"),
		S("Content-Transfer-Encoding: base64\r\n"), S("=41"),
		S("Content-Transfer-Encoding: quoted-printable\r\n"),
		S("Content-Type: message/rfc822\r\n\r\n"),
		S("Content-Type: multipart/mixed; boundary=c\r\n\r\n"),
	};
	int n = 5 + rand() % 30;

	buf_clear(to);
	if (rand() % 4 != 0)
		buf_adds(to, MIX "\r\n--b\r\n");
	while (n-- > 0)
		buf_add(to, piece[(size_t)rand() % COUNT(piece)]);
}

static void
anything(void)
{
	struct buf in = { 0 }, out = { 0 }, again = { 0 };
	unsigned changed = 0, wrong = 0, unfit = 0;

	srand(1);
	for (int i = 0; i < 20000; i++) {
		bool eightbit = i % 2 == 0;
		enum transport_verdict v;

		chance(&in);
		buf_clear(&out);
		v = t_convert(buf_span(&in), eightbit, 7, &out);
		if (v != TRANSPORT_RECODE)
			continue;
		changed++;
		wrong += !t_same(buf_span(&in), buf_span(&out));
		buf_clear(&again);
		unfit += t_convert(buf_span(&out), eightbit, 4096, &again) !=
		    TRANSPORT_FITS;
	}
	ok(changed > 1000, "many messages of any pieces are changed");
	ok(wrong == 0, "and each leaf still decodes to what it was");
	ok(unfit == 0, "and the transport now carries it");
	buf_free(&in);
	buf_free(&out);
	buf_free(&again);
}

int
main(void)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		enum transport_verdict v;
		bool good = true;

		for (size_t step = 1; step <= 4096; step *= 4096) {
			buf_clear(&out);
			v = t_convert(cases[i].in, cases[i].eightbit, step,
			    &out);
			good = good && v == cases[i].verdict &&
			    span_eq(buf_span(&out), cases[i].out);
		}
		if (!ok(good, cases[i].name))
			printf("# verdict %d, got: %.*s\n", (int)v,
			    (int)out.n, out.p);
	}
	buf_free(&out);
	anything();
	return done();
}
