# SPDX-License-Identifier: Apache-2.0
# api/: the REST contract, its resources, and HTTP
noinst_LIBRARIES += api/libapi.a
api_libapi_a_SOURCES = \
  api/events.c api/events.h \
  api/json_read.c api/json_read.h \
  api/json_write.c api/json_write.h \
  api/list.c api/list.h \
  api/model.h api/model_int.h \
  api/model_care.c \
  api/model_macs.c \
  api/model_match.c \
  api/openapi_json.h \
  api/model_port.c \
  api/model_project.c api/model_project.h \
  api/model_quantity.c \
  api/model_rates.c \
  api/model_reader.c \
  api/model_route.c \
  api/model_router.c \
  api/model_text.c \
  api/model_token.c api/model_token.h \
  api/model_vnic.c \
  api/model_wiring.c \
  api/problem.c api/problem.h \
  api/route.c api/route.h \
  api/route_lines.c api/route_lines.h \
  api/server.c api/server.h api/server_int.h \
  api/server_auth.c \
  api/server_body.c \
  api/server_conn.c \
  api/server_headers.c \
  api/server_listen.c \
  api/server_reply.c \
  api/server_request.c \
  api/server_static.c \
  api/server_parts.c \
  api/server_stream.c \
  api/server_tls.c \
  api/server_upgrade.c \
  api/websocket.c api/websocket.h
nodist_api_libapi_a_SOURCES = api/openapi_json.c
api/openapi_json.c: api/openapi.yaml build-aux/yaml2json.awk
	$(AM_V_GEN)$(MKDIR_P) api && \
	  $(AWK) -f $(srcdir)/build-aux/yaml2json.awk \
	    $(srcdir)/api/openapi.yaml > $@.json && \
	  { echo '#include "api/openapi_json.h"' && \
	    echo 'const unsigned char api_openapi_json[] = {' && \
	    od -An -v -tu1 $@.json | $(SED) 's/[0-9][0-9]*/&,/g' && \
	    echo '};' && \
	    echo 'const size_t api_openapi_json_bytes = sizeof(api_openapi_json);'; \
	  } > $@.tmp && rm $@.json && mv $@.tmp $@
CLEANFILES += api/openapi_json.c
EXTRA_DIST += build-aux/yaml2json.awk
api_libapi_a_CFLAGS = $(AM_CFLAGS) $(MHD_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS)
LIBAPI = api/libapi.a
LIBAPI_LIBS = $(MHD_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS)
dist_europadata_DATA = api/openapi.yaml
