/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: see http.h. The handle of libcurl is kept, and the connection with it.
 *
 * The certificate is looked at when the handshake is over and before the first
 * byte of the request, in the one callback that libcurl has there.
 */
#include "cli/http_int.h"

#include "cli/curlline.h"
#include "lib/base.h"

#include <limits.h>
#include <strings.h>
#include <sys/stat.h>

/* --- server names ----------------------------------------------------------- */

static int
read_server(struct http *h, const char *server, struct err *e)
{
	size_t n = strlen(server);

	if (strncmp(server, "unix:", 5) == 0)
		server += 5;
	if (*server == '/') {
		h->socket = strdup(server);
		h->base = strdup("http://europa");
		return h->socket && h->base ? 0 : -ENOMEM;
	}
	if (strncmp(server, "https://", 8) != 0 &&
	    strncmp(server, "http://", 7) != 0)
		return err_set(e, -EINVAL,
		    "%s: want the path of a socket, https://HOST:PORT, "
		    "http://HOST:PORT, or the name of a server (config list)",
		    server);
	if (n > 0 && server[n - 1] == '/')
		n--;
	h->base = strndup(server, n);
	return h->base ? 0 : -ENOMEM;
}

static bool
is_https(const struct http *h)
{
	return strncmp(h->base, "https://", 8) == 0;
}

/* A token does not cross a network in the clear. */
static int
check_token(const struct http *h, struct err *e)
{
	static const char *const local[] = { "http://127.0.0.1", "http://[::1]",
		"http://localhost" };

	if (!h->config.token || h->socket || is_https(h))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(local); i++) {
		size_t n = strlen(local[i]);

		if (strncmp(h->base, local[i], n) == 0 &&
		    (h->base[n] == ':' || h->base[n] == '\0'))
			return 0;
	}
	return err_set(e, -EINVAL,
	    "%s: a token is sent over https:// or to this host alone", h->base);
}

/* --- callbacks -------------------------------------------------------------- */

static void
print_line(struct http *h)
{
	const struct curlline line = { .url = h->url,
		.socket = h->socket,
		.pin = h->pins && h->has_cert ? h->cert.pin : NULL,
		.has_token = h->config.token != NULL };

	if (!h->config.debug || h->is_printed)
		return;
	h->is_printed = true;
	curlline_print(stderr, &line, h->rq);
}

static void
look_at_certificate(struct http *h)
{
	const struct curl_certinfo *info = NULL;

	if (curl_easy_getinfo(h->curl, CURLINFO_CERTINFO, &info) != CURLE_OK ||
	    !info || info->num_of_certs < 1)
		return;
	for (const struct curl_slist *s = info->certinfo[0]; s; s = s->next)
		if (strncmp(s->data, "Cert:", 5) == 0)
			h->has_cert = cert_read(s->data + 5, &h->cert) == 0;
}

/* Connected, and nothing is sent yet. A connection may be an old one. */
static int
on_connected(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct http *h = arg;

	(void)to, (void)from, (void)to_port, (void)from_port;
	if (is_https(h) && !h->has_cert)
		look_at_certificate(h);
	if (h->pins && (!h->has_cert ||
			   strcmp(h->cert.fingerprint, h->fingerprint) != 0)) {
		h->is_pin_wrong = true;
		return CURL_PREREQFUNC_ABORT;
	}
	if (!h->rq)
		return CURL_PREREQFUNC_ABORT;
	print_line(h);
	return CURL_PREREQFUNC_OK;
}

bool
http_gather(struct http_answer *a, const char *data, size_t n)
{
	char *more;

	if (n > MAX_ANSWER - a->n_body)
		return false;
	more = realloc(a->body, a->n_body + n + 1);
	if (!more)
		return false;
	memcpy(more + a->n_body, data, n);
	a->body = more;
	a->n_body += n;
	a->body[a->n_body] = '\0';
	return true;
}

static size_t
on_body(char *data, size_t one, size_t n, void *arg)
{
	struct http *h = arg;
	long status = 0;

	(void)one;
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	if (h->rq->sink && status >= 200 && status < 300) {
		if (h->rq->sink(h->rq->sink_arg, data, n))
			return n;
		h->is_ended = true;
		return 0;
	}
	return http_gather(h->answer, data, n) ? n : 0;
}

static void
keep_header(
    const char *name, const char *line, size_t n, char *out, size_t size)
{
	size_t k = strlen(name);

	if (n <= k || strncasecmp(line, name, k) != 0)
		return;
	line += k;
	n -= k;
	while (n > 0 && *line == ' ') {
		line++;
		n--;
	}
	while (n > 0 && strchr("\r\n ", line[n - 1]))
		n--;
	n = MIN(n, size - 1);
	memcpy(out, line, n);
	out[n] = '\0';
}

void
http_keep_header(struct http_answer *a, const char *line, size_t n)
{
	keep_header("Content-Type:", line, n, a->type, sizeof(a->type));
	keep_header("ETag:", line, n, a->etag, sizeof(a->etag));
	keep_header("Location:", line, n, a->location, sizeof(a->location));
	keep_header(
	    "Sec-WebSocket-Accept:", line, n, a->accept, sizeof(a->accept));
}

static size_t
on_header(char *line, size_t one, size_t n, void *arg)
{
	(void)one;
	http_keep_header(((struct http *)arg)->answer, line, n);
	return n;
}

static size_t
on_read(char *out, size_t one, size_t n, void *arg)
{
	struct http *h = arg;
	/* what is there by now, not all that has room */
	ssize_t got = read(fileno(h->rq->file), out, one * n);

	return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static int
on_progress(void *arg, curl_off_t down_total, curl_off_t down,
    curl_off_t up_total, curl_off_t up)
{
	const struct http *h = arg;

	if (h->rq && h->rq->file)
		h->config.progress((uint64_t)up, (uint64_t)up_total);
	else
		h->config.progress((uint64_t)down, (uint64_t)down_total);
	return 0;
}

/* --- life ------------------------------------------------------------------- */

int
http_open(const struct http_config *config, struct http **out, struct err *e)
{
	struct http *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return err_set(e, -ENOMEM, "no memory");
	h->config = *config;
	rc = read_server(h, config->server, e);
	if (rc == 0)
		rc = check_token(h, e);
	if (rc == 0 && config->fingerprint && is_https(h)) {
		h->pins = true;
		rc =
		    cert_parse_fingerprint(config->fingerprint, h->fingerprint);
		if (rc < 0)
			err_set(e, rc,
			    "%s: want sha256: and 64 hexadecimal digits",
			    config->fingerprint);
	}
	if (rc == 0 && (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
			   !(h->curl = curl_easy_init())))
		rc = err_set(e, -ENOMEM, "libcurl does not start");
	if (rc < 0) {
		http_close(h);
		return rc;
	}
	*out = h;
	return 0;
}

void
http_close(struct http *h)
{
	if (!h)
		return;
	if (h->curl)
		curl_easy_cleanup(h->curl);
	free(h->socket);
	free(h->base);
	free(h);
}

void
http_answer_free(struct http_answer *a)
{
	free(a->body);
	*a = (struct http_answer){ 0 };
}

/* --- a request -------------------------------------------------------------- */

void
http_set_connection(struct http *h)
{
	CURL *c = h->curl;

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_URL, h->url);
	/* a name of two points is a wrong name, and no way upwards */
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "europactl/" EUROPA_VERSION);
	if (h->socket) {
		curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, h->socket);
		curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	}
	if (is_https(h)) {
		curl_easy_setopt(c, CURLOPT_CERTINFO, 1L);
		curl_easy_setopt(
		    c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	}
	if (h->pins || !h->rq) {
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(c, CURLOPT_PREREQDATA, h);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, h);
	if (h->config.progress) {
		curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_easy_setopt(c, CURLOPT_XFERINFODATA, h);
	}
}

static void
set_body(struct http *h)
{
	const struct http_request *rq = h->rq;
	CURL *c = h->curl;

	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, rq->method);
	if (strcmp(rq->method, "HEAD") == 0)
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	if (!rq->type) {
		/* a method that could have a body says that it has none */
		if (strcmp(rq->method, "POST") == 0) {
			curl_easy_setopt(c, CURLOPT_POSTFIELDS, "");
			curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, 0L);
		}
		return;
	}
	if (rq->file) {
		struct stat st;

		curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		if (fstat(fileno(rq->file), &st) == 0 && S_ISREG(st.st_mode))
			curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE,
			    (curl_off_t)st.st_size);
		curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(c, CURLOPT_READDATA, h);
		return;
	}
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, rq->body);
	curl_easy_setopt(
	    c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->n_body);
}

static bool
add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *more = curl_slist_append(*list, line);

	if (more)
		*list = more;
	return more != NULL;
}

static struct curl_slist *
make_headers(const struct http *h)
{
	const struct http_request *rq = h->rq;
	struct curl_slist *list = NULL;
	char line[1024];
	/* nodes do not speak of 100-continue: do not wait for it */
	bool ok = add_header(&list, "Expect:");

	if (h->config.token) {
		snprintf(line, sizeof(line), "Authorization: Bearer %s",
		    h->config.token);
		ok = ok && add_header(&list, line);
	}
	snprintf(
	    line, sizeof(line), "Content-Type: %s", rq->type ? rq->type : "");
	ok = ok && add_header(&list, rq->type ? line : "Content-Type:");
	for (unsigned i = 0; i < HTTP_MAX_HEADERS && rq->headers[i]; i++)
		ok = ok && add_header(&list, rq->headers[i]);
	if (ok)
		return list;
	curl_slist_free_all(list);
	return NULL;
}

/* Why there is no answer. */
int
http_explain(struct http *h, CURLcode code, const char *words, struct err *e)
{
	const char *where = h->socket ? h->socket : h->base;
	long os = 0;

	curl_easy_getinfo(h->curl, CURLINFO_OS_ERRNO, &os);
	if (h->is_ended)
		return err_set(e, -ECANCELED, "%s: ended", where);
	if (h->is_pin_wrong && h->has_cert)
		return err_set(e, -EKEYREJECTED,
		    "%s: its certificate is sha256:%s, not the one that is "
		    "pinned; nothing was sent",
		    where, h->cert.fingerprint);
	if (h->is_pin_wrong)
		return err_set(e, -EKEYREJECTED,
		    "%s: its certificate cannot be read; nothing was sent",
		    where);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return err_set(e, -EKEYREJECTED,
		    "%s: %s; with --fingerprint, that one certificate is "
		    "trusted",
		    where, words);
	if (code == CURLE_COULDNT_CONNECT && h->socket && os == EACCES)
		return err_set(e, -EACCES, "%s: %s", where, strerror(EACCES));
	if (code == CURLE_COULDNT_CONNECT && os != 0)
		return err_set(
		    e, -ECONNREFUSED, "%s: %s", where, strerror((int)os));
	return err_set(e, -ECONNREFUSED, "%s: %s", where, words);
}

static CURLcode
perform(struct http *h, char *words)
{
	struct curl_slist *headers = make_headers(h);
	CURLcode code;

	if (!headers)
		return CURLE_OUT_OF_MEMORY;
	http_set_connection(h);
	set_body(h);
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, words);
	if (h->config.timeout_s > 0 && !h->rq->is_stream)
		curl_easy_setopt(h->curl, CURLOPT_TIMEOUT,
		    (long)MIN(h->config.timeout_s, (unsigned)INT_MAX / 1000));
	code = curl_easy_perform(h->curl);
	print_line(h); /* if it did not come to that */
	if (h->config.progress)
		h->config.progress(0, 0); /* it is over */
	curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(headers);
	return code;
}

int
http_set_url(struct http *h, const char *path, struct err *e)
{
	if (snprintf(h->url, sizeof(h->url), "%s%s", h->base, path) >=
	    (int)sizeof(h->url))
		return err_set(e, -ENAMETOOLONG, "the path is too long");
	return 0;
}

int
http_do(struct http *h, const struct http_request *rq, struct http_answer *out,
    struct err *e)
{
	char words[CURL_ERROR_SIZE] = "";
	struct http_answer answer = { 0 };
	CURLcode code;
	long status = 0;

	if (http_set_url(h, rq->path, e) < 0)
		return e->no;
	h->rq = rq;
	h->answer = &answer;
	h->is_printed = h->is_ended = h->is_pin_wrong = false;
	code = perform(h, words);
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	h->rq = NULL;
	h->answer = NULL;
	/* a refusal may come before all of the body was sent */
	if (code != CURLE_OK && (status < 400 || answer.n_body == 0)) {
		http_answer_free(&answer);
		return http_explain(
		    h, code, words[0] ? words : curl_easy_strerror(code), e);
	}
	answer.status = (unsigned)status;
	*out = answer;
	return 0;
}

int
http_fingerprint(const char *server, char out[HTTP_FINGERPRINT], struct err *e)
{
	const struct http_config config = { .server = server };
	struct http *h;
	CURLcode code;
	int rc = http_open(&config, &h, e);

	if (rc < 0)
		return rc;
	if (snprintf(h->url, sizeof(h->url), "%s/", h->base) >=
	    (int)sizeof(h->url)) {
		http_close(h);
		return err_set(e, -ENAMETOOLONG, "the URL is too long");
	}
	http_set_connection(h);
	code = curl_easy_perform(h->curl);
	if (h->has_cert)
		snprintf(
		    out, HTTP_FINGERPRINT, "sha256:%s", h->cert.fingerprint);
	else
		rc = http_explain(h, code, curl_easy_strerror(code), e);
	http_close(h);
	return rc;
}

char *
http_escape(const char *s)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "_-.~";
	char *out = malloc(3 * strlen(s) + 1), *at = out;

	for (; out && *s; s++) {
		if (strchr(plain, *s))
			*at++ = *s;
		else
			at += sprintf(at, "%%%02X", (unsigned char)*s);
	}
	if (out)
		*at = '\0';
	return out;
}
