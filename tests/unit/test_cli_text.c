/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cli_text: what europactl prints: tables, CSV, YAML, names, the curl line,
 * problems; and what it calls a certificate.
 */
#include "cli/cert.h"
#include "cli/curlline.h"
#include "cli/output.h"
#include "cli/refusal.h"
#include "cli/value.h"
#include "cli/websocket.h"
#include "cli/yaml.h"
#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char doc_text[] =
    "{\"items\": [{\"name\": \"r1\", \"n\": 5, \"s\": {\"x\": \"a,b\"},"
    " \"v\": [{\"a\": [1, 2], \"d\": {\"p\": 3, \"q\": 4}}, {\"a\": [3]}]},"
    " {\"name\": \"longer\", \"n\": 1000, \"s\": {\"x\": \"say \\\"\\\"\"},"
    " \"v\": [], \"flag\": true}], \"next\": null}";

static void
expect_output(struct output o, const char *expected)
{
	json_t *doc = json_loads(doc_text, 0, NULL);
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);
	struct err e;

	assert_int_equal(output_print(f, &o, doc, &e), 0);
	fclose(f);
	assert_string_equal(text, expected);
	free(text);
	json_decref(doc);
}

static void
tables_are_aligned(void **state)
{
	struct output o = { .format = FORMAT_TABLE,
		.columns = "NAME=name N=n TEXT=s.x FLAG=flag",
		.rows = "items" };

	(void)state;
	expect_output(o, "NAME       N  TEXT    FLAG\n"
			 "r1         5  a,b     -\n"
			 "longer  1000  say \"\"  yes\n");
	o.width = 24;
	expect_output(o, "NAME      N  TEXT   FLAG\n"
			 "r1        5  a,b    -\n"
			 "long~  1000  say ~  yes\n");
}

static void
other_formats(void **state)
{
	struct output o = { .format = FORMAT_CSV,
		.columns = "NAME=name TEXT=s.x",
		.rows = "items" };

	(void)state;
	expect_output(o, "NAME,TEXT\nr1,\"a,b\"\n"
			 "longer,\"say \"\"\"\"\"\n");
	o.format = FORMAT_NAME;
	expect_output(o, "r1\nlonger\n");
	o.format = FORMAT_JSON;
	o.fields = "name,n";
	expect_output(o,
	    "{\n  \"items\": [\n    {\n      \"name\": \"r1\",\n"
	    "      \"n\": 5\n    },\n    {\n      \"name\": \"longer\",\n"
	    "      \"n\": 1000\n    }\n  ]\n}\n");
	o.format = FORMAT_YAML;
	o.fields = "n,nothing";
	expect_output(o, "items:\n  - \"n\": 5\n    nothing: null\n"
			 "  - \"n\": 1000\n    nothing: null\n");
	o.format = FORMAT_TABLE;
	o.fields = "v#,v[].a[],v[].d";
	expect_output(o, "V#  V[].A[]  V[].D\n"
			 " 2  1,2,3    p=3,q=4\n"
			 " 0  -        -\n");
}

static void
fields_that_are_none(void **state)
{
	static const char *const bad[] = { "", ",", "a,,b" };
	json_t *doc = json_object();
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct output o = { .format = FORMAT_TABLE, .fields = bad[i] };

		assert_int_equal(output_print(stdout, &o, doc, &e), -EINVAL);
	}
	assert_int_equal(output_format("yaml"), FORMAT_YAML);
	assert_int_equal(output_format("xml"), -EINVAL);
	json_decref(doc);
}

/* A tenant's text does not speak to the terminal. */
static void
texts_are_safe(void **state)
{
	json_t *v = json_string("a\033[2Jb\nc\x7f\xc2\x9b d\u00e9");
	char *text = value_text(v);

	(void)state;
	assert_string_equal(text, "a?[2Jb?c??? d\u00e9");
	free(text);
	json_decref(v);
	v = json_loads("{\"a\": {\"p\": 1, \"q\": 2}}", 0, NULL);
	json_t *sum = value_at(v, "a+");

	assert_int_equal(json_integer_value(sum), 3);
	assert_null(value_at(v, "b.c"));
	assert_null(value_at(v, "a.p.q"));
	assert_null(value_at(v, ""));
	json_decref(sum);
	json_decref(v);
}

static void
yaml_is_what_it_was(void **state)
{
	json_t *doc = json_loads(
	    "{\"a\": \"plain\", \"b\": \"yes\", \"c\": \"1\", \"d\": [],"
	    "\"e\": {}, \"f\": [1, [2, {\"g\": null}], {\"h\": true,"
	    "\"i\": [\"x y\"]}], \"no\": \"q\\\"\\\\\\u0001\\u0085\","
	    "\"lua\": \"one\\n  two\\n\\nthree\\n\", \"end\": \"x\\ny\","
	    "\"ws\": \" a\\nb\", \"k: 1\": 1.5, \"nel\": \"\\u007f\"}",
	    0, NULL);
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	assert_non_null(doc);
	yaml_print(f, doc);
	fclose(f);
	assert_string_equal(text,
	    "a: plain\nb: \"yes\"\nc: \"1\"\nd: []\ne: {}\n"
	    "f:\n  - 1\n  - - 2\n    - g: null\n  - h: true\n    i:\n"
	    "      - \"x y\"\n"
	    "\"no\": \"q\\\"\\\\\\x01\\x85\"\n"
	    "lua: |\n  one\n    two\n\n  three\n"
	    "end: |-\n  x\n  y\n"
	    "ws: \" a\\x0Ab\"\n\"k: 1\": 1.5\nnel: \"\\x7F\"\n");
	free(text);
	json_decref(doc);
}

/* What a shell makes of the quoted word is the word. */
static void
quoting_survives_a_shell(void **state)
{
	static const char *const words[] = { "plain", "", "it's", "a b", "$x",
		"`id`", "\"", "\\", "!", "a\nb", "*", "'", "''", "-n", "\u00e9",
		"#", "~" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char command[256], out[64];
		char *text = NULL;
		size_t n;
		FILE *f = open_memstream(&text, &n);

		curlline_quote(f, words[i], strlen(words[i]));
		fclose(f);
		snprintf(command, sizeof(command), "printf '[%%s]' %s", text);
		free(text);
		f = popen(command, "r");
		n = fread(out, 1, sizeof(out) - 1, f);
		out[n] = '\0';
		assert_int_equal(pclose(f), 0);
		assert_int_equal(n, strlen(words[i]) + 2);
		assert_memory_equal(out + 1, words[i], n - 2);
	}
}

static void
curl_lines(void **state)
{
	static const struct {
		struct curlline line;
		struct http_request rq;
		const char *expected;
	} rows[] = {
		{ { .url = "http://europa/v1/routers?a=b&c=d",
		      .socket = "/run/x.sock" },
		    { .method = "GET" },
		    "curl -sS --unix-socket /run/x.sock "
		    "'http://europa/v1/routers?a=b&c=d'\n" },
		{ { .url = "https://h:8780/v1/routers",
		      .pin = "sha256//abc=",
		      .has_token = true },
		    { .method = "POST",
			.type = "application/json",
			.body = "{\"a\":\"it's\"}",
			.n_body = 12,
			.headers = { "If-Match: \"x\"" } },
		    "curl -sS --insecure --pinnedpubkey 'sha256//abc=' "
		    "-H \"Authorization: Bearer $EUROPA_TOKEN\" -X POST "
		    "-H 'If-Match: \"x\"' -H 'Content-Type: "
		    "application/json' --data-binary '{\"a\":\"it'\\''s\"}' "
		    "https://h:8780/v1/routers\n" },
		{ { .url = "http://e/p" },
		    { .method = "PUT",
			.type = "text/x-lua",
			.body = "@x",
			.n_body = 2 },
		    "curl -sS -X PUT -H 'Content-Type: text/x-lua' "
		    "--data-raw @x http://e/p\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = NULL;
		size_t n;
		FILE *f = open_memstream(&text, &n);

		curlline_print(f, &rows[i].line, &rows[i].rq);
		fclose(f);
		assert_string_equal(text, rows[i].expected);
		free(text);
	}
}

/* openssl x509 -fingerprint -sha256, and its public key's digest */
static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBgzCCASmgAwIBAgIUQSN+xnJQvtoECh0wuwLX/M81hqMwCgYIKoZIzj0EAwIw\n"
    "FjEUMBIGA1UEAwwLZXVyb3BhLXRlc3QwIBcNMjYxMTIyMTQwNTA0WhgPMjA1OTA5\n"
    "MzAxNDA1MDRaMBYxFDASBgNVBAMMC2V1cm9wYS10ZXN0MFkwEwYHKoZIzj0CAQYI\n"
    "KoZIzj0DAQcDQgAEYRmha1Z7OCJk/lHMqJzhMprSvuNej4kIrNUEGi4uNLUl2oj+\n"
    "O00zFlt/WNMIUjpYCZBqwe1aBT2xG8copQGlpKNTMFEwHQYDVR0OBBYEFDYb9v8E\n"
    "/btSzJibU8Q7Gx9X8CKjMB8GA1UdIwQYMBaAFDYb9v8E/btSzJibU8Q7Gx9X8CKj\n"
    "MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgYyYquqaB5bxudAaz\n"
    "XQa9MVTQ+uZWtYBi5/MmpEa5i6ICIQDJuk1mQ9+M3QHIRB4voaIdFYopuybW9csI\n"
    "9f3QQWksLg==\n-----END CERTIFICATE-----\n";

static void
certificates_have_names(void **state)
{
	static const char *const wrong[] = { "", "nonsense",
		"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\nMIIBgzCCASmg\n-----END",
		"-----BEGIN CERTIFICATE-----\nMIP///////8=\n-----END",
		"-----BEGIN CERTIFICATE-----\n****\n-----END" };
	struct cert_names names;
	char hex[CERT_HEX];

	(void)state;
	assert_int_equal(cert_read(certificate, &names), 0);
	assert_string_equal(names.fingerprint,
	    "e562123676fd5b4848e5f0a5bffb2d7e"
	    "7f1cc60c3bdee4581eaa654caf19b224");
	assert_string_equal(
	    names.pin, "sha256//v4braEP9CbqxesC6eRP/IWHBd1kATqhaUY0ZqLzvut0=");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(cert_read(wrong[i], &names), -EBADMSG);
	assert_int_equal(
	    cert_parse_fingerprint(
		"SHA256:E5:62:12:36:76:FD:5B:48:48:E5:F0:A5:BF:FB:2D:7E:7F:"
		"1C:C6:0C:3B:DE:E4:58:1E:AA:65:4C:AF:19:B2:24",
		hex),
	    0);
	assert_int_equal(cert_read(certificate, &names), 0);
	assert_string_equal(hex, names.fingerprint);
	assert_int_equal(cert_parse_fingerprint("sha256:12", hex), -EINVAL);
	assert_int_equal(cert_parse_fingerprint("sha256:x", hex), -EINVAL);
}

/* A certificate that is cut anywhere is refused, and nothing is read behind. */
static void
cut_certificates(void **state)
{
	struct cert_names names;

	(void)state;
	for (size_t n = 28; n < 380; n++) {
		char *part = strndup(certificate, n);

		assert_int_equal(cert_read(part, &names), -EBADMSG);
		free(part);
	}
}

static void
answers_have_exit_codes(void **state)
{
	static const struct {
		unsigned status;
		const char *code;
		int exit;
	} rows[] = { { 200, "", 0 }, { 202, "", 0 }, { 204, "", 0 },
		{ 302, "", 1 }, { 400, "not-json", 5 }, { 401, "", 6 },
		{ 403, "", 6 }, { 404, "not-found", 3 }, { 405, "", 5 },
		{ 409, "exists", 4 }, { 409, "quota-exceeded", 7 },
		{ 412, "stale", 4 }, { 413, "too-large", 5 },
		{ 415, "media-type", 5 }, { 422, "invalid", 5 }, { 429, "", 7 },
		{ 500, "", 1 }, { 503, "busy", 9 }, { 504, "not-applied", 8 },
		{ 504, "no-answer", 9 }, { 507, "no-memory", 7 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char body[64];
		struct http_answer a = { .status = rows[i].status,
			.body = body };

		a.n_body = (size_t)snprintf(
		    body, sizeof(body), "{\"code\": \"%s\"}", rows[i].code);
		assert_int_equal(refusal_code(&a), rows[i].exit);
	}
}

static void
problems_say_all(void **state)
{
	static char body[] =
	    "{\"detail\": \"2 errors\\u001b[2J\", \"errors\": ["
	    "{\"pointer\": \"/a\", \"detail\": \"no\"},"
	    "{\"pointer\": \"/b\", \"detail\": \"bad\"}], \"line\": 7,"
	    "\"remedy\": \"do it\", \"wanted\": 5, \"best\": 4}";
	static char html[] = "<html>";
	const struct http_answer a = {
		.status = 422, .body = body, .n_body = sizeof(body) - 1
	};
	const struct http_answer none = {
		.status = 414, .body = html, .n_body = sizeof(html) - 1
	};
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	refusal_print(f, &a);
	refusal_print(f, &none);
	fclose(f);
	assert_string_equal(text,
	    "europactl: 2 errors?[2J\n  /a: no\n  /b: bad\nline: 7\n"
	    "wanted: 5\nbest: 4\nremedy: do it\n"
	    "europactl: the server says 414, and not why\n");
	free(text);
}

/* RFC 6455, section 1.3 and 5.7 */
static void
websocket_frames(void **state)
{
	static const uint8_t hello[] = { 0x81, 5, 'H', 'e', 'l', 'l', 'o' };
	static const uint8_t part[] = { 0x01, 3, 'H', 'e', 'l' };
	static const struct {
		uint8_t bytes[10];
		size_t n;
	} wrong[] = {
		{ { 0x81, 0x85, 1, 2, 3, 4 }, 6 }, /* masked */
		{ { 0xc1, 1, 'x' }, 3 },           /* an extension */
		{ { 0x09, 0 }, 2 },                /* a ping in parts */
		{ { 0x89, 126, 0, 126 }, 4 },      /* and a long one */
		{ { 0x82, 127, 1, 0, 0, 0, 0, 0, 0, 0 }, 10 }, /* huge */
		{ { 0x82, 127, 0, 0, 0, 0, 0, 0x20, 0, 0 }, 10 },
	};
	char accept[WEBSOCKET_ACCEPT];
	struct websocket_message m;
	uint8_t frame[70000 + WEBSOCKET_MAX_HEAD], data[70000];
	static const size_t sizes[] = { 0, 1, 125, 126, 65535, 65536, 70000 };
	static const size_t heads[] = { 6, 6, 6, 8, 8, 14, 14 };

	(void)state;
	websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", accept);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	for (size_t n = 0; n < sizeof(hello); n++)
		assert_int_equal(websocket_read(hello, n, &m), 0);
	assert_int_equal(websocket_read(hello, sizeof(hello), &m), 7);
	assert_int_equal(m.kind, WEBSOCKET_TEXT);
	assert_true(m.is_last && m.n == 5 && m.data == hello + 2);
	assert_int_equal(websocket_read(part, sizeof(part), &m), 5);
	assert_false(m.is_last);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(
		    websocket_read(wrong[i].bytes, wrong[i].n, &m), -EBADMSG);
	memset(data, 'x', sizeof(data));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		ssize_t n =
		    websocket_frame(WEBSOCKET_BINARY, data, sizes[i], frame);
		const uint8_t *mask = frame + heads[i] - 4;

		assert_int_equal(n, heads[i] + sizes[i]);
		assert_int_equal(frame[0], 0x82);
		assert_true(frame[1] & 0x80);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(
			    frame[heads[i] + k] ^ mask[k % 4], 'x');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_aligned),
		cmocka_unit_test(other_formats),
		cmocka_unit_test(fields_that_are_none),
		cmocka_unit_test(texts_are_safe),
		cmocka_unit_test(yaml_is_what_it_was),
		cmocka_unit_test(quoting_survives_a_shell),
		cmocka_unit_test(curl_lines),
		cmocka_unit_test(certificates_have_names),
		cmocka_unit_test(cut_certificates),
		cmocka_unit_test(answers_have_exit_codes),
		cmocka_unit_test(problems_say_all),
		cmocka_unit_test(websocket_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
