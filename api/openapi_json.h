/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openapi_json: openapi.yaml as the JSON that clients get, in the program
 * itself: what is served describes what serves it. openapi_json.c is made from
 * the file when the program is.
 */
#ifndef API_OPENAPI_JSON_H
#define API_OPENAPI_JSON_H

#include <stddef.h>

extern const unsigned char api_openapi_json[];
extern const size_t api_openapi_json_bytes;

#endif
