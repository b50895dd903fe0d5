/* SPDX-License-Identifier: ISC */
#ifndef NET_PROVIDER_H
#define NET_PROVIDER_H

/*
 * OpenSSL's default provider, less what TLS has no use for.  OpenSSL makes
 * an object of every algorithm that a provider has before it finds the first,
 * and again for the certificate's and the key's decoders: of 19 million
 * instructions before a handshake 8 remain.
 */

/* Set up OpenSSL for TLS: without its configuration file, lists of names for
 * programs that look algorithms up by name, texts of errors (provider_reasons)
 * or work at exit.  To be called before anything else of OpenSSL; later it
 * does nothing, and so it does where OpenSSL is not linked statically. */
void provider_load(void);

/* Load the texts of errors that may come up in TLS and with certificates. */
void provider_reasons(void);

#endif
