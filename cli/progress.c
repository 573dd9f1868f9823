/* progress.c - one line redrawn at most six times a second on a terminal, one plain line an epoch
 * elsewhere; and the signals that ask a long command to come to an end. */
#define _GNU_SOURCE
#include "cli.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

struct display display;

static const char *const modes[] = {"auto", "always", "never", NULL};
/* --color first: main.c looks at it before all others */
const struct caelum_option display_rows[] = {
    CHOICE(struct display, "color", color, modes,
           "colors in messages; auto: on a terminal, unless NO_COLOR is set"),
    CHOICE(struct display, "progress", progress, modes,
           "redraw one line; auto: on a terminal, elsewhere a line every 30 s"),
    OPTION(FLAG, struct display, 'q', "quiet", quiet, NULL, "print only results and errors"), END_OF_OPTIONS};

/* Whether a line stands on the terminal that the next one must replace. */
static bool line_open;
static double last_drawn, last_said;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Whether a line on it can be drawn over: some editors' terminals are only paper. */
static bool can_redraw(void) {
    const char *term = getenv("TERM");
    return isatty(2) && term && *term && strcmp(term, "dumb") != 0;
}

bool progress_live(void) {
    if (display.quiet || display.progress == DISPLAY_NEVER) return false;
    return display.progress == DISPLAY_ALWAYS || can_redraw();
}

bool progress_due(void) {
    return progress_live() && now() - last_drawn > 1.0 / 6;
}

bool progress_line_due(void) {
    if (display.quiet || display.progress == DISPLAY_NEVER || progress_live()) return false;
    if (last_said <= 0) progress_said();
    return now() - last_said >= 30;
}

void progress_said(void) {
    last_said = now();
}

static int columns(void) {
    struct winsize size;
    return ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

void progress_clear(void) {
    if (line_open) fprintf(stderr, "\r\033[K");
    line_open = false;
}

void progress_draw(const char *line) {
    fprintf(stderr, "\r%.*s\033[K", columns() - 1, line);
    fflush(stderr);
    line_open = true;
    last_drawn = now();
}

void progress_bar(char *text, int width, double part) {
    const int full = (int)(part * width);
    for (int i = 0; i < width; i++) text[i] = i < full ? '=' : i == full ? '>' : ' ';
    text[width] = '\0';
}

const char *progress_duration(double seconds, char text[32]) {
    if (!(seconds >= 0) || seconds > 1e8) return strcpy(text, "?");
    const long s = lround(seconds);
    if (s >= 3600)
        snprintf(text, 32, "%ldh%02ldm", s / 3600, s / 60 % 60);
    else if (s >= 60)
        snprintf(text, 32, "%ldm%02lds", s / 60, s % 60);
    else
        snprintf(text, 32, "%lds", s);
    return text;
}

int progress_stage(void *cookie, const char *what, size_t done, size_t total) {
    (void)cookie;
    if (done < total && progress_due()) {
        char line[200], meter[25];
        progress_bar(meter, 24, total ? (double)done / (double)total : 0);
        snprintf(line, sizeof line, "%s [%s] %zu/%zu", what, meter, done, total);
        progress_draw(line);
    } else if (done < total && progress_line_due()) {
        fprintf(stderr, "%s %zu/%zu\n", what, done, total);
        progress_said();
    }
    if (done == total) progress_clear();
    return signals_caught() != 0;
}

static void epoch_line(const struct caelum_train_progress *p) {
    const struct caelum_epoch *e = p->finished;
    char speed[32], quality[32] = ""; /* a classifier has no PSNR */
    progress_clear();
    if (!isnan(e->val_psnr)) snprintf(quality, sizeof quality, "  psnr %.2f dB", e->val_psnr);
    fprintf(stderr, "epoch %3zu/%zu  loss %.6f  val %.6f%s  acc %.4f  %s img/s  %.1f s%s%s%s\n", e->epoch,
            p->epochs, e->loss, e->val_loss, quality, e->val_accuracy,
            grouped((size_t)e->pictures_per_second, speed), e->seconds,
            e->best ? style(stderr, STYLE_GOOD) : "", e->best ? "  best" : "",
            e->best ? style(stderr, STYLE_PLAIN) : "");
    progress_said();
}

int progress_train(void *cookie, const struct caelum_train_progress *p) {
    (void)cookie;
    if (p->finished) {
        if (!display.quiet) epoch_line(p);
    } else if (progress_due()) {
        char line[300], meter[25], left[32], rest[48] = "", speed[32], val[32] = "";
        progress_bar(meter, 24, (double)p->batch / (double)p->batches);
        if (!isnan(p->last_val_loss)) snprintf(val, sizeof val, "  val %.5f", p->last_val_loss);
        if (isfinite(p->seconds_left))
            snprintf(rest, sizeof rest, "  %s left", progress_duration(p->seconds_left, left));
        snprintf(line, sizeof line, "epoch %3zu/%zu [%s] %zu/%zu  loss %.5f%s  %s img/s%s", p->epoch,
                 p->epochs, meter, p->batch, p->batches, p->loss, val,
                 grouped((size_t)p->pictures_per_second, speed), rest);
        progress_draw(line);
    }
    return signals_caught() != 0;
}

/* --- Descriptors ------------------------------------------------------------------------------------ */

void descriptors_open(void) {
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDWR); /* takes the lowest free number, this one */
}

/* --- Signals -------------------------------------------------------------------------------------- */

static volatile sig_atomic_t caught;

static void on_signal(int signal_number) {
    static const char text[] = "\nstopping after this batch, saving... (again to quit now)\n";
    caught = signal_number;
    if (write(2, text, sizeof text - 1) < 0) return;
}

void signals_catch(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction before;
        /* nohup ignores a signal for us: so it stays */
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}

int signals_caught(void) {
    return caught;
}

void signals_raise(void) {
    if (!caught) return;
    fflush(stdout);
    signal(caught, SIG_DFL);
    raise(caught);
}
