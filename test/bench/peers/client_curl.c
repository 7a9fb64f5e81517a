// SPDX-License-Identifier: MIT
// libcurl's multi interface: CONNS transfers at a time, N GETs in all. Prints N.
// usage: peer_client_curl PORT N CONNS PATH
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static char url[512];
static CURLM* multi;
static long unsent, done;

static size_t discard(char* data, size_t size, size_t count, void* user) {
  (void)data;
  (void)user;
  return size * count;
}

static void start(CURL* easy) {
  unsent--;
  curl_multi_add_handle(multi, easy);
}

static void finish(CURLMsg* message) {
  CURL* easy = message->easy_handle;
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (message->data.result != CURLE_OK || status != 200) {
    fprintf(stderr, "%s: %s, status %ld\n", url, curl_easy_strerror(message->data.result), status);
    exit(1);
  }
  done++;
  curl_multi_remove_handle(multi, easy);
  if (unsent > 0)
    start(easy);
  else
    curl_easy_cleanup(easy);
}

int main(int argc, char** argv) {
  if (argc != 5) return fprintf(stderr, "usage: peer_client_curl PORT N CONNS PATH\n"), 2;
  long wanted = unsent = atol(argv[2]);
  long count = atol(argv[3]);
  snprintf(url, sizeof url, "http://127.0.0.1:%s%s", argv[1], argv[4]);
  multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, count);
  for (long i = 0; i < count && unsent > 0; i++) {
    CURL* easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
    start(easy);
  }
  while (done < wanted) {
    int running = 0, queued = 0;
    curl_multi_perform(multi, &running);
    CURLMsg* message;
    while ((message = curl_multi_info_read(multi, &queued)) != NULL) finish(message);
    if (done < wanted) curl_multi_poll(multi, NULL, 0, 100, NULL);
  }
  curl_multi_cleanup(multi);
  printf("%ld\n", done);
  return 0;
}
