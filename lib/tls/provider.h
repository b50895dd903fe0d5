/* SPDX-License-Identifier: ISC */
#ifndef TLS_PROVIDER_H
#define TLS_PROVIDER_H

/*
 * OpenSSL's default provider, less what TLS has no use for.  OpenSSL makes
 * an object of every algorithm that a provider has before it finds the first,
 * and tries every decoder for a certificate and its key: of 19 million
 * instructions before a handshake 3.5 remain.
 */

/* The kinds of keys that are to be read, a set. */
enum {
	KEY_EC = 1 << 0,
	KEY_RSA = 1 << 1,
	KEY_EDWARDS = 1 << 2,	/* Ed25519, Ed448 */
	KEY_ALL = KEY_EC | KEY_RSA | KEY_EDWARDS
};

/* Set up OpenSSL: without its configuration file, lists of names for programs
 * that look algorithms up by name, texts of errors (provider_reasons) or work
 * at exit.  To be called before anything else of OpenSSL. */
void provider_init(void);

/* The same, and show it the algorithms for TLS, and what reads such keys.
 * Later calls add what was not asked for before.  Where OpenSSL is not linked
 * statically, all is there. */
void provider_load(unsigned keys);

/* Load the texts of errors that may come up in TLS and with certificates. */
void provider_reasons(void);

#endif
