/* The interface from C, and what it answers where something is wrong. */
#include <math.h>
#include <rnnfast.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;

static void expect(int holds, const char* what) {
  if (holds) return;
  ++failures;
  fprintf(stderr, "%s: %s\n", what, rnnfast_message());
}

/* h of one unit: tanh(0.5 x + 0.25 h). */
static rnnfast_layer one_unit(void) {
  static const float w_ih[] = {0.5F}, w_hh[] = {0.25F};
  rnnfast_layer layer;
  memset(&layer, 0, sizeof layer);
  layer.size = sizeof layer;
  layer.cell = "rnn_tanh";
  layer.inputs = layer.units = 1;
  layer.w_ih = w_ih;
  layer.w_hh = w_hh;
  return layer;
}

static void wrong_layers(void) {
  rnnfast_model* model = NULL;
  rnnfast_layer layer = one_unit(), two[2];
  const float large = 70000.0F;
  expect(rnnfast_model_make(NULL, 0, RNNFAST_AS_GIVEN, &model) == RNNFAST_INVALID, "no layer");
  expect(rnnfast_model_make(NULL, 1, RNNFAST_AS_GIVEN, &model) == RNNFAST_INVALID, "NULL");
  expect(rnnfast_model_make(&layer, 1, RNNFAST_AS_GIVEN, NULL) == RNNFAST_INVALID, "nowhere to");
  layer.size = 8;
  expect(rnnfast_model_make(&layer, 1, RNNFAST_AS_GIVEN, &model) == RNNFAST_INVALID, "size");
  layer = one_unit();
  layer.cell = "lsmt";
  expect(rnnfast_model_make(&layer, 1, RNNFAST_AS_GIVEN, &model) == RNNFAST_INVALID, "cell");
  expect(strstr(rnnfast_message(), "lsmt") != NULL, "its name");
  layer = one_unit();
  layer.w_hh = NULL;
  expect(rnnfast_model_make(&layer, 1, RNNFAST_AS_GIVEN, &model) == RNNFAST_INVALID, "w_hh");
  layer = one_unit();
  layer.units = 0;
  expect(rnnfast_model_make(&layer, 1, RNNFAST_AS_GIVEN, &model) == RNNFAST_INVALID, "units");
  layer = one_unit();
  layer.type = (rnnfast_type)7;
  expect(rnnfast_model_make(&layer, 1, RNNFAST_AS_GIVEN, &model) == RNNFAST_INVALID, "type");
  layer = one_unit();
  layer.projection = 1;
  expect(rnnfast_model_make(&layer, 1, RNNFAST_AS_GIVEN, &model) == RNNFAST_INVALID, "projection");
  two[0] = two[1] = one_unit();
  two[1].inputs = 2;
  expect(rnnfast_model_make(two, 2, RNNFAST_AS_GIVEN, &model) == RNNFAST_INVALID,
         "layers that do not fit");
  layer = one_unit();
  expect(rnnfast_model_make(&layer, 1, (rnnfast_precision)9, &model) == RNNFAST_INVALID,
         "precision");
  layer.cell = "rnn_relu";
  expect(rnnfast_model_make(&layer, 1, RNNFAST_INT8, &model) == RNNFAST_INVALID, "no bound of h");
  expect(strstr(rnnfast_message(), "keeps h within -1 and 1") != NULL, "why");
  layer = one_unit();
  layer.w_hh = &large;
  expect(rnnfast_model_make(&layer, 1, RNNFAST_FLOAT16, &model) == RNNFAST_INVALID, "too large");
  expect(strstr(rnnfast_message(), "within 65504 for RNNFAST_FLOAT16") != NULL, "for what");
  expect(model == NULL, "nothing was made");
  expect(rnnfast_model_load("/no/such/file", RNNFAST_AS_GIVEN, &model) == RNNFAST_NO_FILE,
         "no file");
  expect(rnnfast_model_load("/dev/null", RNNFAST_AS_GIVEN, &model) == RNNFAST_BAD_FILE,
         "an empty file");
  expect(rnnfast_set_threads(-1) == RNNFAST_INVALID, "threads");
}

static void bytes(void) {
  rnnfast_model* model = NULL;
  rnnfast_session* session = NULL;
  rnnfast_pool* pool = NULL;
  const rnnfast_layer layer = one_unit();
  const float x = 1.0F, within = -0.5F, beyond = 1.5F;
  float y = 7.0F, state;
  ptrdiff_t id;
  expect(rnnfast_model_make(&layer, 1, RNNFAST_INT8, &model) == RNNFAST_OK, "a model of bytes");
  expect(rnnfast_model_precision(model) == RNNFAST_INT8, "its precision");
  expect(rnnfast_model_run(model, 1, 1, &x, NULL, &beyond, &y, NULL) == RNNFAST_INVALID, "h");
  expect(y == 7.0F, "nothing was written");
  expect(rnnfast_session_open(model, &session) == RNNFAST_OK, "a session");
  expect(rnnfast_session_set_state(session, &within) == RNNFAST_OK, "a state");
  expect(rnnfast_session_set_state(session, &beyond) == RNNFAST_INVALID, "one beyond");
  rnnfast_session_get_state(session, &state);
  expect(state == within, "the one before");
  rnnfast_session_step(session, &x, &y);
  expect(fabsf(y - tanhf(0.5F * x + 0.25F * within)) < 2e-3F, "a step");
  rnnfast_session_close(session);
  expect(rnnfast_pool_make(model, 1, &pool) == RNNFAST_OK, "a pool");
  expect(rnnfast_pool_open(pool, &id) == RNNFAST_OK, "a stream");
  expect(rnnfast_pool_set_state(pool, id, &beyond) == RNNFAST_INVALID, "beyond in a pool");
  expect(rnnfast_pool_set_state(pool, id, NULL) == RNNFAST_INVALID, "no state");
  rnnfast_pool_free(pool);
  rnnfast_model_free(model);
}

static void streams(const rnnfast_model* model) {
  rnnfast_session* session = NULL;
  rnnfast_pool* pool = NULL;
  const float x[] = {1.0F, -2.0F};
  float y[2], want, state;
  ptrdiff_t ids[2], lengths[2], third = 0;
  want = tanhf(0.25F * tanhf(0.5F * x[0]) + 0.5F * x[1]);

  expect(rnnfast_session_open(model, &session) == RNNFAST_OK, "a session");
  rnnfast_session_step(session, &x[0], &y[0]);
  rnnfast_session_step(session, &x[1], &y[1]);
  expect(fabsf(y[1] - want) < 1e-6F, "two steps");
  rnnfast_session_get_state(session, &state);
  expect(state == y[1], "its state");
  rnnfast_session_reset(session);
  rnnfast_session_run(session, 2, x, y);
  expect(fabsf(y[1] - want) < 1e-6F, "two steps at once");
  rnnfast_session_close(session);

  expect(rnnfast_pool_make(model, 0, &pool) == RNNFAST_INVALID, "no room");
  expect(rnnfast_pool_make(model, 2, &pool) == RNNFAST_OK, "a pool");
  expect(rnnfast_pool_open(pool, &ids[0]) == RNNFAST_OK, "a stream");
  expect(rnnfast_pool_open(pool, &ids[1]) == RNNFAST_OK, "another");
  expect(rnnfast_pool_open(pool, &third) == RNNFAST_FULL, "a third");
  expect(rnnfast_pool_step(pool, ids, 2, x, y) == RNNFAST_OK, "a step");
  expect(fabsf(y[1] - tanhf(0.5F * x[1])) < 1e-6F, "of the other");
  lengths[0] = 0;
  lengths[1] = 1;
  expect(rnnfast_pool_run(pool, ids, 2, 1, lengths, x, y) == RNNFAST_OK, "a run");
  expect(y[0] == 0.0F && fabsf(y[1] - tanhf(0.25F * tanhf(0.5F * x[1]) + 0.5F * x[1])) < 1e-6F,
         "of the other");
  lengths[0] = 2;
  expect(rnnfast_pool_run(pool, ids, 2, 1, lengths, x, y) == RNNFAST_INVALID, "too long");
  expect(rnnfast_pool_run(pool, ids, 2, -1, NULL, x, y) == RNNFAST_INVALID, "less than no step");
  expect(rnnfast_pool_step(pool, ids, -1, x, y) == RNNFAST_INVALID, "less than no stream");
  expect(rnnfast_pool_step(NULL, ids, 2, x, y) == RNNFAST_INVALID, "no pool");
  expect(rnnfast_pool_step(pool, NULL, 2, x, y) == RNNFAST_INVALID, "no ids");
  expect(rnnfast_pool_step(pool, ids, 2, NULL, y) == RNNFAST_INVALID, "no x");
  expect(rnnfast_pool_step(pool, ids, 2, x, NULL) == RNNFAST_INVALID, "no y");
  expect(rnnfast_pool_step(pool, NULL, 0, NULL, NULL) == RNNFAST_OK, "nobody");
  expect(rnnfast_pool_open(NULL, &third) == RNNFAST_INVALID, "open, no pool");
  expect(rnnfast_pool_open(pool, NULL) == RNNFAST_INVALID, "open to nowhere");
  expect(rnnfast_pool_get_state(pool, ids[0], NULL) == RNNFAST_INVALID, "a state to nowhere");
  third = ids[0];
  ids[0] = ids[1];
  expect(rnnfast_pool_step(pool, ids, 2, x, y) == RNNFAST_INVALID, "twice");
  expect(rnnfast_pool_close(pool, ids[1]) == RNNFAST_OK, "it goes");
  expect(rnnfast_pool_close(pool, ids[1]) == RNNFAST_INVALID, "it is gone");
  expect(rnnfast_pool_step(pool, ids, 1, x, y) == RNNFAST_INVALID, "no step of it");
  expect(rnnfast_pool_get_state(pool, ids[1], &state) == RNNFAST_INVALID, "no state of it");
  expect(rnnfast_pool_get_state(pool, third, &state) == RNNFAST_OK, "a state");
  expect(rnnfast_pool_set_state(pool, third, &state) == RNNFAST_OK, "set");
  expect(rnnfast_pool_size(pool) == 1, "one is open");
  rnnfast_pool_free(pool);
}

int main(void) {
  rnnfast_model* model = NULL;
  const rnnfast_layer layer = one_unit();
  const ptrdiff_t too_long = 3;
  const float x[] = {1.0F, 2.0F};
  float y[2];
  wrong_layers();
  bytes();
  expect(rnnfast_model_make(&layer, 1, RNNFAST_AS_GIVEN, &model) == RNNFAST_OK, "a model");
  expect(rnnfast_model_state_size(model) == 1 && rnnfast_model_inputs(model) == 1, "its sizes");
  expect(rnnfast_model_run(model, 2, 1, x, NULL, NULL, y, NULL) == RNNFAST_OK, "a sequence");
  expect(rnnfast_model_run(model, 2, 1, x, &too_long, NULL, y, NULL) == RNNFAST_INVALID, "length");
  expect(rnnfast_model_run(model, 0, 1, x, NULL, NULL, y, NULL) == RNNFAST_INVALID, "no step");
  expect(rnnfast_model_run(model, 2, 1, NULL, NULL, NULL, y, NULL) == RNNFAST_INVALID, "no x");
  streams(model);
  rnnfast_model_free(model);
  rnnfast_model_free(NULL);
  rnnfast_session_close(NULL);
  rnnfast_pool_free(NULL);
  rnnfast_weights_free(NULL);
  printf("%s %s\n", rnnfast_version(), rnnfast_target());
  return failures;
}
