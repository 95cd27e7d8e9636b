/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_tls: the certificate of the node, and the only file that knows GnuTLS.
 *
 * At the first start it is made, signed by itself, and kept as tls.crt and
 * tls.key; whoever has a better one puts it there. Clients know it by its
 * fingerprint, or by that of its public key. The key is written first: a
 * certificate without its key is never there.
 */
#include "api/server_int.h"

#include "lib/base.h"
#include "lib/log.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

enum {
	VALID_DAYS = 3650,
	PEM_BYTES = 64 << 10, /* a chain, at most */
	PATH_BYTES = 512,
	SERIAL_BYTES = 16,
};

static int
tls_fail(struct err *e, int rc, const char *what)
{
	return err_set(e, -EIO, "TLS: %s: %s", what, gnutls_strerror(rc));
}

/* --- files ------------------------------------------------------------------- */

/* Replaces the file as a whole. */
static int
write_file(int dir, const char *name, unsigned mode, const gnutls_datum_t *pem,
    struct err *e)
{
	char temp[64];
	scoped_close int fd = -1;

	snprintf(temp, sizeof(temp), "%s.new", name);
	unlinkat(dir, temp, 0);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || write(fd, pem->data, pem->size) != (ssize_t)pem->size ||
	    fsync(fd) < 0 || renameat(dir, temp, dir, name) < 0 ||
	    fsync(dir) < 0)
		return err_set(
		    e, -errno, "TLS: write %s: %s", name, strerror(errno));
	return 0;
}

/* Returns 1 if it is there, 0 if it is not, or negative with e set. */
static int
read_file(int dir, const char *name, char **out, struct err *e)
{
	scoped_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	scoped_free char *text = NULL;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return 0;
	text = fd < 0 ? NULL : calloc(1, PEM_BYTES + 1);
	n = text ? read(fd, text, PEM_BYTES) : -1;
	if (n < 0)
		return err_set(
		    e, -errno, "TLS: read %s: %s", name, strerror(errno));
	*out = steal_ptr(text);
	return 1;
}

/* --- making one -------------------------------------------------------------- */

static int
add_names(gnutls_x509_crt_t crt, const char *hostname)
{
	const uint8_t loopback4[4] = { 127, 0, 0, 1 };
	const uint8_t loopback6[16] = { [15] = 1 };
	const struct {
		gnutls_x509_subject_alt_name_t type;
		const void *data;
		size_t n;
	} names[] = {
		{ GNUTLS_SAN_DNSNAME, hostname, strlen(hostname) },
		{ GNUTLS_SAN_DNSNAME, "localhost", 9 },
		{ GNUTLS_SAN_IPADDRESS, loopback4, sizeof(loopback4) },
		{ GNUTLS_SAN_IPADDRESS, loopback6, sizeof(loopback6) },
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && rc >= 0; i++)
		rc = gnutls_x509_crt_set_subject_alt_name(crt, names[i].type,
		    names[i].data, (unsigned)names[i].n, GNUTLS_FSAN_APPEND);
	return rc;
}

/* crt is empty; key is a good one. */
static int
fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	char hostname[65] = "europa"; /* as long as a common name may be */
	uint8_t serial[SERIAL_BYTES];
	time_t now = time(NULL);
	int rc;

	gethostname(hostname, sizeof(hostname) - 1);
	if (getrandom(serial, sizeof(serial), 0) != (ssize_t)sizeof(serial))
		return GNUTLS_E_RANDOM_FAILED;
	serial[0] =
	    (uint8_t)((serial[0] & 0x7f) | 0x40); /* a positive number */
	rc = gnutls_x509_crt_set_version(crt, 3);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key(crt, key);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	if (rc >= 0) /* clocks differ */
		rc = gnutls_x509_crt_set_activation_time(crt, now - 86400);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_expiration_time(
		    crt, now + (time_t)VALID_DAYS * 86400);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_dn_by_oid(crt,
		    GNUTLS_OID_X520_COMMON_NAME, 0, hostname,
		    (unsigned)strlen(hostname));
	if (rc >= 0)
		rc = add_names(crt, hostname);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key_usage(
		    crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key_purpose_oid(
		    crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	return rc;
}

/* Both as PEM, to be freed by gnutls_free(). */
static int
generate(gnutls_datum_t *key_pem, gnutls_datum_t *crt_pem)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	int rc = gnutls_x509_privkey_init(&key);

	if (rc >= 0)
		rc = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
		    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (rc >= 0)
		rc = gnutls_x509_crt_init(&crt);
	if (rc >= 0)
		rc = fill(crt, key);
	if (rc >= 0)
		rc = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
	if (rc >= 0)
		rc = gnutls_x509_privkey_export2(
		    key, GNUTLS_X509_FMT_PEM, key_pem);
	if (rc >= 0)
		rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, crt_pem);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	return rc;
}

static int
make(int dir, struct err *e)
{
	gnutls_datum_t key = { NULL, 0 }, crt = { NULL, 0 };
	int rc = generate(&key, &crt);

	if (rc < 0)
		rc = tls_fail(e, rc, "make a certificate");
	else
		rc = write_file(dir, TLS_KEY_FILE, 0600, &key, e);
	if (rc == 0)
		rc = write_file(dir, TLS_CERT_FILE, 0644, &crt, e);
	if (key.data)
		gnutls_memset(key.data, 0, key.size);
	gnutls_free(key.data);
	gnutls_free(crt.data);
	return rc;
}

/* --- telling who it is ------------------------------------------------------- */

/* What curl --pinnedpubkey wants: of the key, which a renewal may keep. */
static int
find_pin(gnutls_x509_crt_t crt, char *out, size_t size)
{
	gnutls_pubkey_t key = NULL;
	gnutls_datum_t der = { NULL, 0 }, text = { NULL, 0 };
	uint8_t digest[32];
	gnutls_datum_t d = { digest, sizeof(digest) };
	int rc = gnutls_pubkey_init(&key);

	if (rc >= 0)
		rc = gnutls_pubkey_import_x509(key, crt, 0);
	if (rc >= 0)
		rc = gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der);
	if (rc >= 0)
		rc = gnutls_hash_fast(
		    GNUTLS_DIG_SHA256, der.data, der.size, digest);
	if (rc >= 0)
		rc = gnutls_base64_encode2(&d, &text);
	if (rc >= 0)
		snprintf(out, size, "sha256//%.*s", (int)text.size, text.data);
	gnutls_free(der.data);
	gnutls_free(text.data);
	gnutls_pubkey_deinit(key);
	return rc;
}

static int
find_fingerprint(struct server_tls *t)
{
	const gnutls_datum_t pem = { (unsigned char *)t->cert,
		(unsigned)strlen(t->cert) };
	gnutls_x509_crt_t crt = NULL;
	uint8_t digest[32];
	size_t n = sizeof(digest);
	char *at = t->fingerprint;
	int rc = gnutls_x509_crt_init(&crt);

	if (rc >= 0)
		rc = gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		rc = gnutls_x509_crt_get_fingerprint(
		    crt, GNUTLS_DIG_SHA256, digest, &n);
	for (size_t i = 0; rc >= 0 && i < sizeof(digest); i++)
		at += sprintf(at, "%02x", digest[i]);
	if (rc >= 0)
		rc = find_pin(crt, t->pin, sizeof(t->pin));
	gnutls_x509_crt_deinit(crt);
	return rc;
}

/* --- from outside ------------------------------------------------------------ */

static int
load(struct server_tls *t, int dir, struct err *e)
{
	int rc = read_file(dir, TLS_CERT_FILE, &t->cert, e);

	if (rc == 0) {
		rc = make(dir, e);
		if (rc == 0)
			rc = read_file(dir, TLS_CERT_FILE, &t->cert, e);
	}
	if (rc > 0)
		rc = read_file(dir, TLS_KEY_FILE, &t->key, e);
	if (rc == 0)
		return err_set(e, -ENOENT,
		    "TLS: " TLS_CERT_FILE " is there without " TLS_KEY_FILE
		    ": add it, or remove the other");
	return rc < 0 ? rc : 0;
}

int
tls_open(struct server_tls *t, const char *path, struct err *e)
{
	scoped_close int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (dir < 0)
		return err_set(e, -errno, "TLS: %s: %s", path, strerror(errno));
	rc = load(t, dir, e);
	if (rc < 0)
		return rc;
	rc = find_fingerprint(t);
	if (rc < 0)
		return tls_fail(e, rc, TLS_CERT_FILE);
	log_info(
	    "certificate fingerprint=sha256:%s pin=%s", t->fingerprint, t->pin);
	return 0;
}

void
tls_close(struct server_tls *t)
{
	if (t->key)
		explicit_bzero(t->key, strlen(t->key));
	free(t->key);
	free(t->cert);
	t->key = t->cert = NULL;
}
