/* progress.c - one line redrawn at most six times a second on a terminal, one plain line an epoch
 * elsewhere; and the signals that ask a long command to come to an end. */
#define _GNU_SOURCE
#include "cli.h"

#include "base/clock.h"

#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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

/* Whether a line on it can be drawn over: some editors' terminals are only paper. */
static bool can_redraw(void) {
    const char *term = getenv("TERM");
    return isatty(2) && term && *term && strcmp(term, "dumb") != 0;
}

/* Whether a line is redrawn on the terminal, instead of lines printed now and then. */
static bool is_live(void) {
    return display.progress == DISPLAY_ALWAYS || (display.progress == DISPLAY_AUTO && can_redraw());
}

bool progress_due(void) {
    if (display.quiet || display.progress == DISPLAY_NEVER) return false;
    if (is_live()) return clock_seconds() - last_drawn > 1.0 / 6;
    if (last_said <= 0) last_said = clock_seconds();
    return clock_seconds() - last_said >= 30;
}

static int columns(void) {
    struct winsize size;
    return ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

void progress_clear(void) {
    if (line_open) fprintf(stderr, "\r\033[K");
    line_open = false;
}

void progress_show(const char *line) {
    if (!is_live()) {
        progress_print("%s\n", line);
        return;
    }
    fprintf(stderr, "\r%.*s\033[K", columns() - 1, line);
    fflush(stderr);
    line_open = true;
    last_drawn = clock_seconds();
}

void progress_print(const char *format, ...) {
    va_list args;
    progress_clear();
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    last_said = clock_seconds();
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
        char line[200], meter[32] = "", of[32], all[32];
        if (is_live()) {
            progress_bar(meter + 1, 24, (double)done / (double)total);
            meter[0] = '[';
            strcpy(meter + 25, "] ");
        }
        snprintf(line, sizeof line, "%s %s%s/%s", what, meter, grouped(done, of), grouped(total, all));
        progress_show(line);
    }
    if (done == total) progress_clear();
    return signals_caught() != 0;
}

/* Once. */
static void warn_of_idle_ranks(const struct caelum_train_progress *p) {
    static bool warned;
    if (p->ranks > p->parts && !warned)
        warn("a minibatch has %zu parts to share, so %zu of the %zu processes have nothing to do; larger "
             "minibatches (--batch) have more",
             p->parts, p->ranks - p->parts, p->ranks);
    warned = true;
}

static void epoch_line(const struct caelum_train_progress *p) {
    const struct caelum_epoch *e = p->finished;
    char speed[32], quality[32] = ""; /* a classifier has no PSNR */
    if (!isnan(e->val_psnr)) snprintf(quality, sizeof quality, "  psnr %.2f dB", e->val_psnr);
    progress_print("epoch %3zu/%zu  loss %.6f  val %.6f%s  acc %.4f  %s img/s  %.1f s%s%s%s\n", e->epoch,
                   p->epochs, e->loss, e->val_loss, quality, e->val_accuracy,
                   grouped((size_t)e->pictures_per_second, speed), e->seconds,
                   e->best ? style(stderr, STYLE_GOOD) : "", e->best ? "  best" : "",
                   e->best ? style(stderr, STYLE_PLAIN) : "");
}

int progress_train(void *cookie, const struct caelum_train_progress *p) {
    (void)cookie;
    warn_of_idle_ranks(p);
    if (p->finished) {
        if (!display.quiet) epoch_line(p);
    } else if (is_live() && progress_due()) {
        char line[300], meter[25], left[32], rest[48] = "", speed[32], val[32] = "";
        progress_bar(meter, 24, (double)p->batch / (double)p->batches);
        if (!isnan(p->last_val_loss)) snprintf(val, sizeof val, "  val %.5f", p->last_val_loss);
        if (isfinite(p->seconds_left))
            snprintf(rest, sizeof rest, "  %s left", progress_duration(p->seconds_left, left));
        snprintf(line, sizeof line, "epoch %3zu/%zu [%s] %zu/%zu  loss %.5f%s  %s img/s%s", p->epoch,
                 p->epochs, meter, p->batch, p->batches, p->loss, val,
                 grouped((size_t)p->pictures_per_second, speed), rest);
        progress_show(line);
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
    static const char text[] = "\nstopping... (again to quit at once)\n";
    caught = signal_number;
    if (display.silent) return;
    if (write(2, text, sizeof text - 1) < 0) return;
}

void signals_catch(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
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

void signals_forget(void) {
    caught = 0;
}

void signals_raise(void) {
    if (!caught) return;
    fflush(stdout);
    signal(caught, SIG_DFL);
    raise(caught);
}
