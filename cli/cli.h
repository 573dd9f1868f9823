/* cli.h - what the commands share: the table of options, progress, errors turned into words. The command
 * line knows the library only through caelum.h. Results go to stdout, everything else to stderr. */
#ifndef CAELUM_CLI_H
#define CAELUM_CLI_H

#include "base/path.h"
#include "caelum.h"

#include <jansson.h>
#include <signal.h>
#include <sys/types.h>

/* --- Options -------------------------------------------------------------------------------------- */

enum option_kind {
    OPTION_FLAG,
    OPTION_STRING,
    OPTION_SIZE,
    OPTION_U64,
    OPTION_REAL,
    OPTION_THREADS,
    OPTION_CHOICE,
    OPTION_WORDS
};

/* The values of an option that can be repeated. */
enum { OPTION_WORDS_MOST = 256 };
struct option_words {
    const char *word[OPTION_WORDS_MOST];
    size_t count;
};

/* One option. The default shown by --help is what `value` points to when the command starts. */
struct option_row {
    char letter;      /* 0: none */
    const char *name; /* without the dashes */
    enum option_kind kind;
    void *value; /* bool, const char *, size_t, uint64_t, double, int, int, struct option_words */
    const char
        *argument;    /* what --help calls the value: "DIR"; NULL for a flag, and for the words of a choice */
    const char *help; /* one sentence, unit or range included, without a full stop */
    const char *const *choices; /* OPTION_CHOICE: words, NULL at the end; value is the index */
};
enum { OPTIONS_MOST = 64 }; /* of a command */

struct command {
    const char *name, *arguments, *summary, *example;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit status */
};

extern const struct command commands[]; /* name NULL at the end */

/* Where an option's value came from, the weakest first. */
enum option_origin { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENVIRONMENT, ORIGIN_FLAG };

/* Reads options and leaves the other arguments in argv[1..]; their number is the result. What the command
 * line does not set may be set by the environment or a file (config.c). Negative: the command ends with
 * status -result - 1 (--help was printed, or something was wrong and named). A command calls this before it
 * does anything else: see options_visit. */
int options_read(const struct command *command, const struct option_row *rows, int argc, char **argv);
/* The same by the command line alone, for commands about the program itself: a mistake in a file must not
 * keep anybody from reading the help. */
int options_read_alone(const struct command *command, const struct option_row *rows, int argc, char **argv);
/* Where the value of an option of the running command came from. */
enum option_origin options_origin(const char *name);
/* The file and line, or the variable, that set the option which a complaint is about: "lr_gamma: expected
 * ...". NULL if it came from elsewhere, or the complaint is about something else. */
const char *options_place(const char *complaint);
/* Calls `visit` with a command's rows, which hold their defaults and are valid until it returns; configured:
 * whether files and the environment can set them. */
typedef void options_visitor(void *cookie, const struct command *command, const struct option_row *rows,
                             bool configured);
void options_visit(const struct command *command, options_visitor *visit, void *cookie);

/* Row by the option's name of that length, or the row at the end. */
const struct option_row *options_row(const struct option_row *rows, const char *name, size_t length);
/* Sets a row's value from text. 0, or CAELUM_EUSAGE with what was expected. Text is kept, not copied. */
int option_set(const struct option_row *row, const char *text, struct caelum_error *err);
/* A row's value as text that option_set would take, or NULL where there is none. */
const char *option_text(const struct option_row *row, char text[32]);
/* What stands for the value in help: "DIR", "mse|bce|l1"; NULL for a flag. */
const char *option_argument(const struct option_row *row, char text[256]);
/* Flags that are meant anew each time: neither the environment nor files set them. */
bool option_by_hand(const struct option_row *row);

const struct command *command_find(const char *name);
void command_help(const struct command *command, FILE *to);
/* All commands by their groups, for somebody who has named none. */
void commands_overview(FILE *to);
/* Title of the group that starts with this command, or NULL. */
const char *command_group(const struct command *command);
/* A usage error: prints the sentence and where help is; returns exit status 2. */
int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
int unknown_command(const char *word);
/* The entry of a NULL-ended list that is closest to a mistyped word, or NULL if none is close. */
const char *nearest(const char *word, const char *const *words);
/* The same among the commands. */
const char *nearest_command(const char *word);

/* --- Configuration -------------------------------------------------------------------------------- */

/* Where a row's value came from, in words: "caelum.conf:3", "CAELUM_EPOCHS", "default". */
struct option_source {
    enum option_origin origin;
    char place[PATH_SIZE + 16];
};

/* Sets those rows that have come from no flag by what stands in the environment, ./caelum.conf and the user's
 * file, and notes it in source[], one for each row. Fails with CAELUM_EUSAGE for a bad value or a key that no
 * command has, CAELUM_EIO for a file that can't be read. Texts last as long as the program. */
int config_apply(const struct command *command, const struct option_row *rows, struct option_source *source,
                 struct caelum_error *err);
/* "CAELUM_SPLIT_SEED" of split-seed. */
void config_variable(const char *name, char text[64]);

/* --- Errors and results --------------------------------------------------------------------------- */

/* How a piece of text stands out. style() is "" where colors are not wanted. */
enum style { STYLE_PLAIN, STYLE_ERROR, STYLE_WARNING, STYLE_GOOD, STYLE_HEADING };
/* Escape sequence that starts a style on stdout or stderr; STYLE_PLAIN ends it. */
const char *style(FILE *to, enum style style);
/* Decides on colors, for stdout and stderr apart, by a --color mode, NO_COLOR, the force variables and the
 * terminal. */
void style_choose(int mode);

/* Writes a text in which control characters, which names of files may have, are shown as \xHH: none of them
 * may move the cursor or change a terminal's settings. */
void put_plain(FILE *to, const char *text);
/* Prints "caelum: ..." and returns the exit status for the error's code. */
int report(const struct caelum_error *err);
/* Likewise for what is no failure; says nothing when --quiet is set. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints JSON on stdout and frees it. Where it could not be made whole - NULL - that is said instead, and the
 * program ends with a status other than 0. */
void print_json(json_t *object);
/* For caelum_data_settings.opened: warns of files that were skipped, naming the first of them. */
void data_opened(void *cookie, const caelum_data *data);
/* "4,911": thousands apart. text: [32]. */
const char *grouped(size_t n, char text[32]);
/* The command as it could be typed again, with what files and the environment have added. */
extern char *command_line;
/* Adds a word, or --OPTION=WORD if `option` is not NULL, quoted where a shell would need that. Ends the
 * program if there is no memory for it. */
void command_line_add(const char *option, const char *word);

/* --- Paths ---------------------------------------------------------------------------------------- */

enum { NAME_SIZE = 256 }; /* of a file, its end included: no file system takes more */

/* "photo" of "some/photo.jpg"; "stdin" of "-". */
void path_stem(const char *path, char *stem, size_t size);
/* Makes a directory and its parents, unless they are there. */
int path_directory(const char *dir, struct caelum_error *err);
/* CAELUM_EIO if there is such a file already, unless `force`. */
int path_free(const char *path, bool force, struct caelum_error *err);
/* DIR/STEM and an ending; in front of STEM nothing if dir is "". CAELUM_EUSAGE if the name or the path is
 * longer than can be. */
int path_result(const char *dir, const char *stem, const char *ending, char *path, size_t size,
                struct caelum_error *err);
/* DIR/STEM.png, as path_free has it. */
int path_picture(const char *dir, const char *stem, bool force, char *path, size_t size,
                 struct caelum_error *err);
/* The file that a word means: itself if there is such a file or it has a '/' in it, else the network or model
 * of that name that comes with the program, with `ending` (".net", ".safetensors") or in full. The word
 * itself where there is none, for the usual complaint. Those are in $CAELUM_MODELS if that is set, else
 * beside the program's directory. */
const char *path_shipped(const char *word, const char *ending, char path[PATH_SIZE]);
/* Likewise, for one that must be there; complains by itself. */
int path_model(const char *name, char path[PATH_SIZE], struct caelum_error *err);

/* A picture that somebody names: a file; "-" or another pipe. */
struct input {
    char *path;
    bool piped; /* no file on a disk: it can be read once, and nothing lies beside it */
    bool done;  /* its result is there, as this file: */
    dev_t device;
    ino_t inode;
};
/* The pictures that arguments name: files; pipes; those in a folder, in the order of their names; those that
 * a pattern matches. */
struct inputs {
    struct input *list;
    size_t count;
};
/* Whether a file is there and is a picture shows when it is read, so all but a lack of memory is told of one
 * picture and leaves the others alone; CAELUM_EIO if there is none at all. What a folder has besides pictures
 * is left out with a word: folders and hidden files without one, pipes and devices, files of file managers
 * and photo programs, and, if `result` is not NULL, NAME<result>.* where NAME.* is there: what an earlier
 * call has made of it. */
int inputs_open(struct inputs *inputs, char **words, int n, const char *result, struct caelum_error *err);
/* Safe on zeroed inputs. */
void inputs_close(struct inputs *inputs);
/* Loads one. */
int input_load(const struct input *input, struct caelum_picture *picture, struct caelum_error *err);
/* Whether input i's result may go to `path`. CAELUM_EUSAGE if it would replace the picture itself or the
 * result of another, CAELUM_EIO as path_free. */
int inputs_claim(const struct inputs *inputs, size_t i, const char *path, bool force,
                 struct caelum_error *err);
/* Notes that it is there. */
void inputs_wrote(struct inputs *inputs, size_t i, const char *path);

/* Does one of several things. */
typedef int one_of_many(void *cookie, size_t i, struct caelum_error *err);
/* Does all of them, `doing` ("coloring") being shown meanwhile. Those that fail are named, the others done
 * all the same, but for what comes behind a signal; in the end there is one line about `undone` ("colored").
 * The exit status: that of all that failed, or 3 where they failed in several ways. */
int each(const char *doing, const char *undone, size_t count, one_of_many *visit, void *cookie);

/* --- Progress and signals ------------------------------------------------------------------------- */

enum display_mode { DISPLAY_AUTO, DISPLAY_ALWAYS, DISPLAY_NEVER };
struct display {
    int color, progress; /* enum display_mode */
    bool quiet;          /* nothing but results and errors */
};
extern struct display display;
extern const char *const display_modes[];
/* The rows of --color, --progress and --quiet, for every command that prints more than a result. */
#define DISPLAY_OPTIONS                                                                               \
    {0,                                                                                               \
     "color",                                                                                         \
     OPTION_CHOICE,                                                                                   \
     &display.color,                                                                                  \
     NULL,                                                                                            \
     "colors in messages; auto: on a terminal, unless NO_COLOR is set",                               \
     display_modes},                                                                                  \
        {0,                                                                                           \
         "progress",                                                                                  \
         OPTION_CHOICE,                                                                               \
         &display.progress,                                                                           \
         NULL,                                                                                        \
         "a line that is redrawn; auto: on a terminal, elsewhere a line every 30 s",                  \
         display_modes},                                                                              \
    {                                                                                                 \
        'q', "quiet", OPTION_FLAG, &display.quiet, NULL, "print nothing but results and errors", NULL \
    }

/* Callbacks for the library; both return non-zero once a signal has come. */
int progress_stage(void *cookie, const char *what, size_t done, size_t total);
int progress_train(void *cookie, const struct caelum_train_progress *progress);
/* Whether a line is redrawn on the terminal, instead of lines printed now and then. */
bool progress_live(void);
/* Whether a progress line is wanted and something can be drawn on it now: at most six times a second. */
bool progress_due(void);
/* Whether a plain line is due instead: no terminal, not quiet, and nothing was said for 30 s. */
bool progress_line_due(void);
/* Notes that something was said. */
void progress_said(void);
/* Draws it, cut to the terminal's width. */
void progress_draw(const char *line);
/* Fills text with `width` characters of a meter; text: [width + 1]. */
void progress_bar(char *text, int width, double part);
/* "2m10s" */
const char *progress_duration(double seconds, char text[32]);
/* Ends a line that is being redrawn. */
void progress_clear(void);

/* Standard input, output and error, where whoever started us has closed them: else the next file that is
 * opened would be one of them, and get the messages. */
void descriptors_open(void);

/* SIGINT, SIGTERM and SIGHUP are noted once; a second one has its usual effect. One that is ignored, as nohup
 * has it, stays so. */
void signals_catch(void);
/* The signal that has come, or 0. */
int signals_caught(void);
/* Dies by the signal that was caught, so that the shell sees it. */
void signals_raise(void);

/* --- caelum eval ---------------------------------------------------------------------------------- */

/* What is measured, by what. */
struct evaluation {
    const char *model_path, *data;
    char *found; /* what `data` is, where nobody has named it; to be freed */
    int split, threads;
    bool json, no_baselines, record;
    double vivid; /* of a colorizer */
    size_t hints;
    const char *sheets;
    const char *classifier; /* that tests it; NULL: none */
    struct caelum_data_settings settings;
};
extern const char *const eval_splits[]; /* names by enum caelum_split, NULL at the end */

/* Opens the data that the user has named, else those of the model's training, with its split; says so where
 * they are others than those. CAELUM_EUSAGE where nothing tells which they were. */
int eval_data_open(struct evaluation *e, const caelum_model *model, caelum_data **data,
                   struct caelum_error *err);
/* Starts the JSON object of a result: model, data, split, count. */
json_t *eval_object(const struct evaluation *e, size_t count);
/* Sets all figures of a task, null where one is no number. */
void eval_add(json_t **object, enum caelum_task task, const void *metrics);
/* The head and the rows of a table of them; `first` stands before the figures. */
void eval_head(enum caelum_task task, const char *first);
void eval_row(enum caelum_task task, const char *name, const char *first, const void *metrics);
/* Writes the figures into the model's file, in the metadata under the split's name. */
int eval_record(const struct evaluation *e, caelum_model *model, enum caelum_task task, const void *metrics,
                struct caelum_error *err);
/* Measures a colorizer and prints the result. */
int eval_color(const struct evaluation *e, caelum_model *model, const caelum_data *data,
               struct caelum_error *err);
/* Likewise a classifier. */
int eval_class(const struct evaluation *e, caelum_model *model, const caelum_data *data,
               struct caelum_error *err);
/* The semantic test by e->classifier, and its result below a colorizer's table or in its JSON object. */
int eval_semantic(const struct evaluation *e, const caelum_model *colorizer, const caelum_data *data,
                  const struct caelum_color_settings *settings, struct caelum_semantic_metrics *metrics,
                  struct caelum_error *err);
void eval_semantic_print(const struct evaluation *e, const struct caelum_semantic_metrics *m);
json_t *eval_semantic_object(const struct evaluation *e, const struct caelum_semantic_metrics *m);

/* --- Commands ------------------------------------------------------------------------------------- */

int command_data(int argc, char **argv);
int command_train(int argc, char **argv);
int command_study(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_colorize(int argc, char **argv);
int command_reconstruct(int argc, char **argv);
int command_encode(int argc, char **argv);
int command_decode(int argc, char **argv);
int command_export(int argc, char **argv);
int command_import(int argc, char **argv);
int command_activations(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_config(int argc, char **argv);
int command_completion(int argc, char **argv);
int command_man(int argc, char **argv);
int command_version(int argc, char **argv);
int command_help_on(int argc, char **argv);

#endif
