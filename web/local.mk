# SPDX-License-Identifier: Apache-2.0
# web/: the page that the REST interface serves
dist_europaweb_DATA = web/app.css web/app.js web/docs.css \
  web/docs.html web/docs.js web/index.html
