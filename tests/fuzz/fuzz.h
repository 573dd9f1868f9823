/* fuzz.h - what reads bytes that anybody may have made, a row each in fuzz.c: a new reader is its function
 * and its row. */
#ifndef CAELUM_FUZZ_FUZZ_H
#define CAELUM_FUZZ_FUZZ_H

#include "caelum.h"

/* Reads the bytes, which are the file `path` too, in a directory where only this process works. */
typedef void fuzz_read(const char *path, const uint8_t *bytes, size_t size);
fuzz_read read_net, read_study, read_conf, read_run;
fuzz_read read_model, read_anomaly, read_import, read_codes, read_checkpoint;
fuzz_read read_data, read_pickle, read_prepared, read_figures, read_picture;

/* Changes the bytes, of which there may be `most`, into others of the same form: libFuzzer's custom mutator.
 */
typedef size_t fuzz_mutate(uint8_t *bytes, size_t size, size_t most, unsigned seed);
fuzz_mutate mutate_safetensors, mutate_protobuf, mutate_png;

/* libFuzzer's own changes. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t most);

/* What a reader has said: it made what it should, or a sentence and nothing; the latter is printed where
 * FUZZ_SAY is set. */
void fuzz_result(int code, bool made, const struct caelum_error *err);
/* Ends the process where what ought to be so isn't: a finding. */
void fuzz_expect(bool so, const char *what);
/* Writes a file that a reader wants beside the one that is tried. */
void fuzz_file(const char *path, const void *bytes, size_t size);

#endif
