/* SPDX-License-Identifier: ISC */
#ifndef MIME_TRANSPORT_H
#define MIME_TRANSPORT_H

#include "mime/domain.h"
#include "mime/fields.h"
#include "mime/places.h"

/*
 * Makes a message fit for a transport that carries less than it holds (RFC
 * 6152 3, RFC 3030 3): a first look at its octets says what each part is,
 * then what is to become of it (mime/recode.h).
 *
 *     transport_begin(&t, &digest);
 *     … transport_feed(&t, octets) …, all in wire form
 *     v = transport_plan(&t, true, how);
 *     transport_end(&t);
 */
struct transport {
	struct places places;
	struct transport_leaf {
		struct domain domain;
		bool broken;	/* it says that it is a multipart */
	} *leaf;		/* [digest->parts] */
	struct domain rest;	/* headers and what is between the parts */
	struct fields type;	/* Content-Type in the header of a leaf */
	struct buf value;
};

enum transport_verdict {
	TRANSPORT_FITS,		/* nothing has to change */
	TRANSPORT_RECODE,	/* as how says */
	TRANSPORT_BARE,		/* a NUL, CR or LF is where no encoding is */
	TRANSPORT_CANNOT	/* the same of octets above 127; or a part must
				   change that may not: see below */
};

void transport_begin(struct transport *t, const struct digest *d);
void transport_feed(struct transport *t, struct span octets);
void transport_end(struct transport *t);

/*
 * Plan for lines of 7 bits, or with eightbit of 8.  A leaf that does not
 * fit, or is declared binary and has longer lines than mail may have, is
 * encoded: quoted-printable if it is text with few octets above 127, else
 * base64.  What already fits but says otherwise is relabelled.  What is in a
 * multipart/signed is not touched, for it would lose its signature (RFC 1847
 * 2.1); a message/partial or message/external-body cannot be encoded (RFC 2046
 * 5.2.2, 5.2.3), and with an encoding that we do not know a leaf cannot be
 * decoded; nor is that touched which is a leaf only since nobody could take
 * it apart.  If one of those does not fit, none of it does.
 * how has room for digest->parts.
 */
enum transport_verdict transport_plan(struct transport *t, bool eightbit,
    uint8_t *how);

#endif
