/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml: writes a JSON document as YAML that every reader of YAML 1.1 or 1.2
 * takes for the same document. It reads none.
 */
#ifndef CLI_YAML_H
#define CLI_YAML_H

#include <jansson.h>
#include <stdio.h>

void yaml_print(FILE *f, const json_t *doc);

#endif
