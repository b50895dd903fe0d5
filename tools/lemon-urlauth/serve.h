/* SPDX-License-Identifier: ISC */
#ifndef SERVE_H
#define SERVE_H

/* -s: one connection of another server on descriptors 0 and 1.  The exit
 * code. */
int serve(void);

#endif
