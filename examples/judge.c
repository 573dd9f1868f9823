/* judge.c - from a camera's frame in memory to a verdict, by a finder of defects that `caelum anomaly train` made.
 *
 *     gcc judge.c $(pkg-config --cflags --libs caelum) -o judge
 *     ./judge part.safetensors WIDTH HEIGHT <frames
 *
 * Frames are read one after another, 8-bit RGB, rows top to bottom, as a camera's driver gives them. A line a frame
 * says what is wrong with it; the exit status is 10 if a frame was bad. */
#include <caelum.h>
#include <stdio.h>
#include <stdlib.h>

/* Reads one frame; 0 at the end of them. */
static int next_frame(struct caelum_picture *frame) {
    const size_t size = 3 * frame->width * frame->height;
    return fread(frame->pixels, 1, size, stdin) == size;
}

static void tell(unsigned long number, const struct caelum_anomaly_verdict *v) {
    printf("frame %lu: %s, score %.4f, p %.4f\n", number, v->bad ? "BAD" : "good", v->score, v->p);
    for (size_t i = 0; i < v->boxes; i++)
        printf("    at %zu,%zu: %zux%zu pixels\n", v->box[i].x, v->box[i].y, v->box[i].width, v->box[i].height);
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct caelum_error err = {0};
    struct caelum_anomaly_verdict verdict;
    caelum_anomaly *finder = NULL;
    unsigned long frames = 0, bad = 0;
    if (argc != 4) return fprintf(stderr, "usage: judge MODEL WIDTH HEIGHT <frames\n"), 2;
    struct caelum_picture frame = {.width = strtoul(argv[2], NULL, 10), .height = strtoul(argv[3], NULL, 10)};
    if (frame.width < 1 || frame.width > 65535 || frame.height < 1 || frame.height > 65535)
        return fprintf(stderr, "judge: expected a width and a height from 1 to 65535\n"), 2;
    frame.pixels = malloc(3 * frame.width * frame.height);
    if (!frame.pixels) return fprintf(stderr, "judge: out of memory\n"), 7;
    int result = caelum_anomaly_load(&finder, argv[1], &err);
    while (result == 0 && next_frame(&frame)) {
        /* a float for each pixel instead of NULL takes the map of scores */
        result = caelum_anomaly_score(finder, &frame, 0, NULL, &verdict, &err);
        if (result != 0) break;
        tell(++frames, &verdict);
        bad += verdict.bad;
    }
    if (result != 0) fprintf(stderr, "judge: %s\n", err.text);
    caelum_anomaly_close(&finder);
    free(frame.pixels);
    return result != 0 ? -result : bad > 0 ? 10 : 0;
}
