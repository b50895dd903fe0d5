/* SPDX-License-Identifier: ISC */
#ifndef TEXT_PARAM_H
#define TEXT_PARAM_H

#include "base/buf.h"

/*
 * A parameter of a Content-Type or Content-Disposition field (RFC 2045 5.1)
 * as UTF-8: quoted or not, cut into sections and with a charset (RFC 2231
 * 3, 4), or with encoded words in it as many programs write it.  field is the
 * field's body as it stands, folds and comments included.
 *
 * An extended form (name*, name*0) is preferred to a plain one beside it;
 * sections may come in any order and end before the first that is missing.
 * With an unknown charset the octets are taken as UTF-8, and what is none
 * becomes U+FFFD.  False if there is no such parameter; nothing is added
 * then.  Cost is linear in field.n.
 */
bool param_get(struct span field, struct span name, struct buf *utf8);

#endif
