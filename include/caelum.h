/* caelum.h - train, measure and run convolutional autoencoders on pictures.
 *
 * This is the library's only public header. Its rules:
 *
 * - Functions return CAELUM_OK (0) or a negative caelum_code. A function that can fail takes a
 *   `struct caelum_error *err`, owned by the caller, and fills it when it returns non-zero; err may
 *   be NULL. On failure every output parameter is left as it was.
 * - Handles are opaque. `*_open`, `*_load`, `*_parse` make one, the matching `*_close` ends it, sets
 *   the caller's pointer to NULL and accepts a pointer to NULL.
 * - The library never prints, never exits and keeps no state outside its handles. What it wants to
 *   say while it works goes through callbacks.
 * - What it reads, computes and writes is the same in every locale that the program has set.
 * - Threads that a process's limits don't allow are done without; the results are the same.
 * - Strings are UTF-8 and NUL-terminated; `const char *` results belong to the handle they came
 *   from and live as long as it does.
 * - Pictures in memory are 8-bit RGB, rows top to bottom, pixels interleaved, unless said otherwise.
 * - Errors of reconstruction are measured on pixels in [0, 1].
 */
#ifndef CAELUM_H
#define CAELUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default) /* what is declared here is what the shared library exports */

#define CAELUM_VERSION "0.1.0"

/* --- Errors ----------------------------------------------------------------------------------- */

/* Why a call failed. The command line's exit status is the code without its sign. */
enum caelum_code {
    CAELUM_OK = 0,
    CAELUM_EFAIL = -1,     /* anything that fits no other code */
    CAELUM_EUSAGE = -2,    /* invalid argument */
    CAELUM_EFORMAT = -3,   /* bad or unsupported data, network text or model */
    CAELUM_EIO = -4,       /* a file is missing, exists already, or can't be read or written */
    CAELUM_ENET = -5,      /* a download failed: no connection, or no server has the file */
    CAELUM_EDIVERGED = -6, /* training produced NaN, infinity or an exploding loss */
    CAELUM_ERESOURCE = -7, /* memory or threads */
    CAELUM_ESTOPPED = -8,  /* a callback asked to stop; what was done so far is saved */
};

/* What went wrong, where, what was expected, what to do; one line, no full stop. */
struct caelum_error {
    int code; /* an enum caelum_code */
    char text[512];
};

/* --- The build -------------------------------------------------------------------------------- */

/* Library version, as CAELUM_VERSION of the header it was compiled with. */
const char *caelum_version(void);

/* One line on the build: compiler, instruction sets compiled in, optional parts. */
const char *caelum_build_info(void);

/* Name of the instruction set that the kernels use on this machine: "generic", "avx2" or "avx512".
 * The environment variable CAELUM_CPU, set to one of these names, lowers it. Fails with
 * CAELUM_EUSAGE if that variable holds another word or a level that this machine lacks. */
int caelum_cpu(const char **name, struct caelum_error *err);

/* Threads that a call with `threads` = 0 uses: the CPUs that this process may run on, cut down to
 * the control group's quota, at least 1. */
int caelum_default_threads(void);

/* --- Progress --------------------------------------------------------------------------------- */

/* Called now and then by long calls, from the calling thread. `what` names the stage ("reading",
 * "generating"); done <= total. A non-zero result asks to stop: the call returns CAELUM_ESTOPPED. */
typedef int (*caelum_progress)(void *cookie, const char *what, size_t done, size_t total);

/* --- Several processes ------------------------------------------------------------------------ */

/* Ranks: processes on one machine or several that an MPI launcher (mpirun, srun) has started to work
 * together, numbered from 0. They are connected by a plugin, caelum-openmpi.so or caelum-mpich.so. */
typedef struct caelum_dist caelum_dist;

/* Joins the other processes; each calls it, once. `mpi` is "openmpi" or "mpich"; NULL: the one whose launcher
 * has started the process, as its environment says; "none": no other. *dist is set to NULL where there is no
 * launcher. Fails with CAELUM_EUSAGE, naming the plugin, where there is one but the plugin can't be loaded,
 * and where ranks are of different versions; CAELUM_EFAIL if MPI can't start; CAELUM_ERESOURCE. */
int caelum_dist_open(caelum_dist **dist, const char *mpi, struct caelum_error *err);
/* Waits for the others. */
void caelum_dist_close(caelum_dist **dist);
/* This process's number; 0 for NULL. */
int caelum_dist_rank(const caelum_dist *dist);
/* How many there are; 1 for NULL. */
int caelum_dist_ranks(const caelum_dist *dist);

/* --- Options ---------------------------------------------------------------------------------- */

/* What an option's value is in its struct of settings, and as text. */
enum caelum_option_kind {
    CAELUM_OPTION_FLAG,    /* bool: "yes" or "no" */
    CAELUM_OPTION_WORD,    /* an enum: one of `words` */
    CAELUM_OPTION_SIZE,    /* size_t */
    CAELUM_OPTION_U64,     /* uint64_t */
    CAELUM_OPTION_REAL,    /* double, finite */
    CAELUM_OPTION_THREADS, /* int: 1 to 4096, 0 for the default */
    CAELUM_OPTION_STRING,  /* const char * */
    CAELUM_OPTION_LIST,    /* what can be given several times; of the command line alone */
};

/* One setting as a person gives it: on a command line, in a file, in a study. */
struct caelum_option {
    char letter;      /* short for it; 0: none */
    const char *name; /* "split-seed": --split-seed, and split_seed in the metadata of models */
    enum caelum_option_kind kind;
    size_t offset;            /* in the struct of settings */
    const char *const *words; /* by value, NULL at the end */
    double least, most;       /* SIZE and REAL: the range */
    bool above;               /* `least` itself is no value */
    const char *value;        /* what stands for the value in help: "DIR" */
    const char *help;         /* a sentence without its full stop; NULL: no option of the command line */
};

/* --- Data sets -------------------------------------------------------------------------------- */

/* A data set: pictures of one size, of one channel or three, kept as bytes, shuffled by the split seed and
 * divided 80/10/10 into train, validation and test, or as its source is. Crops of one photo stay together:
 * then photos are shuffled and divided, and `limit` leaves as many photos as it can, with fewer crops of
 * each. Read-only after opening, so any number of threads may use it. */
typedef struct caelum_data caelum_data;

enum caelum_split { CAELUM_TRAIN, CAELUM_VALIDATION, CAELUM_TEST, CAELUM_ALL };

/* How pictures in files are brought to one size, `crop` pixels a side (32 if that is 0). */
enum caelum_resize {
    CAELUM_RESIZE_NONE,    /* not: small ones of one size are taken as they are, of others crops */
    CAELUM_RESIZE_FIT,     /* all of each, centered between black bars */
    CAELUM_RESIZE_CROP,    /* the square in its middle */
    CAELUM_RESIZE_STRETCH, /* all of each, distorted into a square */
};
/* The words for these values, "no", "fit", "crop", "stretch"; NULL at the end. */
extern const char *const caelum_resize_words[];

struct caelum_data_settings {
    uint64_t split_seed;       /* order of the shuffle that precedes the split; default 1 */
    uint64_t synthetic_seed;   /* seed of generated pictures, and of the places of crops; default 1 */
    size_t crop;               /* height and width of a photo's crops, pixels, 8 to 256; default 0: 32, or
                                  pictures as they are, if they are of one size of at most 128 pixels a side */
    enum caelum_resize resize; /* default CAELUM_RESIZE_NONE */
    size_t limit;              /* keep only the first `limit` pictures of the shuffle; 0 = all */
    const char *cache_dir;     /* where prepared data is kept; NULL = $CAELUM_CACHE, $XDG_CACHE_HOME/caelum */
    caelum_progress progress;  /* may be NULL */
    /* Called at the end of each caelum_data_open that succeeds, also of those inside other calls: the place
     * to ask caelum_data_skipped and caelum_data_note. `data` is borrowed. May be NULL. */
    void (*opened)(void *cookie, const caelum_data *data);
    void *cookie;
};

/* Settings with every default filled in. */
struct caelum_data_settings caelum_data_defaults(void);

/* Opens a data set. `spec` is one of
 *   a directory, file or archive (.zip, or .tar, compressed or not) of CIFAR-10 or CIFAR-100 (binary or
 *     Python version), STL-10 (binary), MNIST's idx files, NumPy's arrays, or pictures (PNG, JPEG, WebP,
 *     TIFF, by content or by ending) in it or below, recognized by content; docs/data.md describes each;
 *   "synthetic", "synthetic:COUNT" or "synthetic:COUNT:SIZE", exactly: generated pictures (default 6000 of
 *     32x32); such a directory is meant by ./synthetic;
 *   the name of a data set that caelum_data_fetch has put into the user's directory, where there is no such
 *     file: "cifar-10";
 *   NULL or "": what the environment variable CAELUM_DATA says, else CIFAR-10 where it was fetched, else
 *     "synthetic".
 * Pictures in files are taken as they are, if they are small and of one size, or brought to one by
 * settings->resize; else squares of settings->crop pixels are cut out of them. What is divided already, as by
 * train and test files, stays so. Left out of a directory, and counted in a note, are run directories (with
 * run.json, and metrics.csv or a checkpoint), pictures NAME-color next to a picture NAME, folders of
 * thumbnails and deleted files, names that start with a dot, links to directories, directories that can't be
 * read, and what is no file. Pictures that are damaged or too small are skipped, see caelum_data_skipped; at
 * least 10 must be left. All but generated pictures are prepared once into a cache file that later calls map
 * into memory. It is named by the files' sizes, inodes and times of change (also that of the inode, which
 * nobody can set): after a file was added, removed, changed or replaced, data is prepared anew. Its checksum
 * is compared each time, and it is used only if it belongs to this user and nobody else may write to it.
 * Where it can't be kept, data is prepared for this once, and a note says so. Fails with CAELUM_EIO (missing,
 * unreadable, nothing known in a directory), CAELUM_EFORMAT (wrong length, type or label, damaged, too few
 * that can be used: the text names file and place), CAELUM_EUSAGE (bad spec or settings), CAELUM_ERESOURCE,
 * CAELUM_ESTOPPED. */
int caelum_data_open(caelum_data **data, const char *spec, const struct caelum_data_settings *settings,
                     struct caelum_error *err);
void caelum_data_close(caelum_data **data);

/* From where to fetch, and to where. Zeroed it has the defaults; its strings are borrowed until return. */
struct caelum_fetch_settings {
    const char *to;   /* directory for the files; NULL: $XDG_DATA_HOME/caelum/NAME, else
                         ~/.local/share/caelum/NAME, where caelum_data_open finds them by the name */
    const char *from; /* URL of a directory that has the files under their published names, or of the file;
                         NULL: the publisher's, then mirrors */
    caelum_progress progress; /* counts the bytes of one file after the other; may be NULL */
    void *cookie;
};

/* Fetches a published data set: "cifar-10", "cifar-100", "mnist", "fashion-mnist" or "stl-10". Sets `path` to
 * what caelum_data_open takes for it. settings may be NULL. A file has its name only once its length and
 * SHA-256 are those published; before, what has come is kept as NAME.part, and the next call continues there.
 * Files that are there already are checked. Proxies are taken from the environment ("https_proxy"). Fails
 * with CAELUM_ENET where no server can be reached or none has the file; CAELUM_EIO (another file of that name
 * is there; the directory can't be written, or another process is at work in it), CAELUM_EUSAGE (unknown
 * name, no URL, no libcurl), CAELUM_ESTOPPED. */
int caelum_data_fetch(const char *name, const struct caelum_fetch_settings *settings, char path[4096],
                      struct caelum_error *err);

/* Pictures of one size that a program has in memory, 8 bit. */
struct caelum_pictures {
    const uint8_t *pixels;          /* channel 0 of the first pixel of picture 0 */
    size_t count;                   /* 10 to 2^31 - 1 */
    size_t channels, height, width; /* channels: 1, grey, or 3, RGB; a side has 1 to 16384 pixels */
    /* Bytes from a picture, a channel, a row, a pixel to the next; may be negative. All 0: planes without
     * gaps, [count][channels][height][width]. {height * width * 3, 1, width * 3, 3}: RGB interleaved,
     * [count][height][width][3] */
    ptrdiff_t stride[4];
    const uint16_t *labels; /* [count], the class of each, from 0; NULL: there are none */
    /* How many are to train on, to validate by and to test on, which follow each other in this order; `count`
     * in all. One that is 0, but the first, is a tenth of those to train on, taken out of them; all 0:
     * shuffled and divided as other data are */
    size_t split[3];
};

/* Makes a data set of them: pictures in the same order train to the same bits as from files. Planes without
 * gaps are used where they are, and so are labels: both must stay, unchanged, until the data is closed.
 * Pixels that are laid out otherwise are copied. The fingerprint is the SHA-256 of the pixels as planes. Of
 * the settings, which may be NULL, split_seed, limit and opened matter. Nothing is read from disk or kept
 * there. Fails with CAELUM_EUSAGE (a size, count or split out of range), CAELUM_ERESOURCE. */
int caelum_data_from_pictures(caelum_data **data, const struct caelum_pictures *pictures,
                              const struct caelum_data_settings *settings, struct caelum_error *err);

/* How many files of a directory of photos could not be used. For i below that, *path is set to the i-th,
 * below that directory, and *reason to what is wrong with it; both belong to the data. */
size_t caelum_data_skipped(const caelum_data *data, size_t i, const char **path, const char **reason);

/* The i-th sentence that a person should know about how the data was opened: what was left out of a
 * directory, and why prepared data could not be kept. It belongs to the data; NULL beyond the last. */
const char *caelum_data_note(const caelum_data *data, size_t i);

struct caelum_data_file {
    char name[64];
    size_t bytes;
    char sha256[65]; /* hexadecimal; empty when it was not read */
    int known;       /* 1: equals the published checksum, 0: differs, -1: none is published */
};

struct caelum_data_info {
    char name[32];      /* of its format: "cifar-10", "folder", "synthetic", ... */
    const char *source; /* where it came from, as given; the data's */
    size_t count, channels, height, width;
    size_t split_count[3]; /* indexed by enum caelum_split */
    uint64_t split_seed;
    size_t photos;                /* whose crops the pictures are; 0: they are no crops */
    size_t classes;               /* 0: no labels */
    double mean[3], deviation[3]; /* of each channel over all pictures, pixels in [0, 1] */
    char pixels_sha256[65];       /* over all pixels in file order: identifies the data set */
    size_t files;
    struct caelum_data_file file[8];
};

/* Describes a data set; reads all its pixels and source files, so it takes a second. */
int caelum_data_describe(const caelum_data *data, struct caelum_data_info *info, struct caelum_error *err);

/* Name of class i, which lasts as long as the data, and in *count how many pictures it has; NULL beyond the
 * last class, *count then being left as it was. */
const char *caelum_data_class(const caelum_data *data, size_t i, size_t *count);

/* What the pixels are, the same for the same pictures: their SHA-256, or how they were generated. A model's
 * metadata have it as "data_fingerprint". Lasts as long as the data. */
const char *caelum_data_fingerprint(const caelum_data *data);

/* Pictures in a split. */
size_t caelum_data_count(const caelum_data *data, enum caelum_split split);

struct caelum_picture;
/* Picture i < caelum_data_count(data, split) of a split, to be ended by caelum_picture_free. Fails with
 * CAELUM_ERESOURCE. */
int caelum_data_picture(const caelum_data *data, enum caelum_split split, size_t i,
                        struct caelum_picture *picture, struct caelum_error *err);

/* --- Networks --------------------------------------------------------------------------------- */

/* A network: the text a person wrote, parsed and checked, with the shape of every layer for one
 * input size. docs/network.md describes the text. Read-only after parsing. */
typedef struct caelum_net caelum_net;

/* Parses `text` for pictures of height x width. `name` stands before line and column in errors.
 * Fails with CAELUM_EFORMAT or CAELUM_ERESOURCE. */
int caelum_net_parse(caelum_net **net, const char *text, const char *name, size_t height, size_t width,
                     struct caelum_error *err);

/* The same from a file; also CAELUM_EIO. */
int caelum_net_load(caelum_net **net, const char *path, size_t height, size_t width,
                    struct caelum_error *err);
void caelum_net_close(caelum_net **net);

/* One row of the layer table. */
struct caelum_layer_info {
    char text[96];                  /* the layer's line, normalised: "conv 8 relu" */
    size_t channels, height, width; /* of its output */
    size_t parameters;
    size_t macs;      /* multiply-adds for one picture, taps on the zero border counted */
    size_t receptive; /* input pixels across that one output value depends on */
    size_t jump;      /* input pixels between neighbouring outputs */
    size_t cut;       /* numbers that pass on from here: this output and open skips */
    bool latent;      /* the `latent` mark follows this layer */
};

struct caelum_net_info {
    size_t channels, height, width; /* of the input */
    size_t layers;                  /* rows of the table, without the input */
    size_t parameters;
    size_t macs;       /* forward, one picture */
    size_t train_macs; /* forward and backward; the first layer's input gradient is not needed */
    bool has_latent;
    size_t latent;           /* numbers at the `latent` mark */
    char formula[160];       /* ((W - K + 2P)/S + 1)^2 * C with its numbers, or "" */
    size_t bottleneck;       /* smallest cut: numbers every path must pass */
    size_t bottleneck_layer; /* index of its row */
};

void caelum_net_describe(const caelum_net *net, struct caelum_net_info *info);
/* Row `i` < layers of the table. */
void caelum_net_layer(const caelum_net *net, size_t i, struct caelum_layer_info *info);
const char *caelum_net_text(const caelum_net *net);

/* What a network learns. */
enum caelum_task {
    CAELUM_RECONSTRUCT, /* R, G, B in, the same out */
    /* luminance in (1 channel), chroma out (2 channels), by ITU-R BT.601; with 4 channels in, the others are
     * hints: U and V where the color of a pixel is given, 0 elsewhere, and 1 where it is given */
    CAELUM_COLORIZE,
    /* as CAELUM_RECONSTRUCT, but noise layers stay on when the network is measured; or, with one channel more
     * in than out, the picture with noise and its standard deviation at every pixel in, the noise out */
    CAELUM_DENOISE,
    /* R, G, B in, one number for each of the data's classes out (channels of a single pixel), the largest
     * that of the picture's label; needs data with labels and CAELUM_XENT */
    CAELUM_CLASSIFY,
    CAELUM_RESTORE, /* a picture with fake defects, drawn anew in each step, in; the one without them out */
    CAELUM_DETECT,  /* the same in; out, in one channel, how much each pixel was changed, 0 to 1 */
};

/* What a network is for, by its shapes: CAELUM_COLORIZE if it makes two channels of one, or of four with
 * hints; CAELUM_DENOISE if it makes one of two, or three of four, the last being the level of the noise;
 * CAELUM_CLASSIFY if it makes a single pixel of many; else CAELUM_RECONSTRUCT. */
enum caelum_task caelum_net_task(const caelum_net *net);

/* --- Models ----------------------------------------------------------------------------------- */

/* A network with weights. But for its metadata read-only after loading: any number of threads may run it. */
typedef struct caelum_model caelum_model;

/* Loads a safetensors file written by caelum; a run directory stands for its best.safetensors. Fails with
 * CAELUM_EIO; CAELUM_EFORMAT, also if a weight is not finite. */
int caelum_model_load(caelum_model **model, const char *path, struct caelum_error *err);
/* The same from a file's bytes in memory, which are not kept; errors start with `name`. */
int caelum_model_decode(caelum_model **model, const void *bytes, size_t size, const char *name,
                        struct caelum_error *err);
void caelum_model_close(caelum_model **model);

/* A model of this network, whose text is copied, with initial weights: a function of the seed alone. Fails
 * with CAELUM_ERESOURCE. */
int caelum_model_create(caelum_model **model, const caelum_net *net, uint64_t seed, struct caelum_error *err);
/* The model's network at the picture size it was trained on; lives as long as the model. */
const caelum_net *caelum_model_net(const caelum_model *model);

/* One array of a model's weights, in the order of PyTorch: a convolution's [out][in][row][column], a
 * transposed one's [in][out][row][column], a dense layer's [out][in]. */
struct caelum_tensor {
    char name[96]; /* "conv1.weight": the layer's word, its number among those of that word, "weight" or
                      "bias" */
    size_t dims, dim[4];
    const float *data; /* the model's */
};
/* The i-th, in the order of the network's text; false beyond the last. */
bool caelum_model_tensor(const caelum_model *model, size_t i, struct caelum_tensor *tensor);
/* Changes the one of that name; `values` is the number of floats at data, which are copied. Fails with
 * CAELUM_EUSAGE if there is no such tensor or it has another size. Not while another thread runs the model.
 */
int caelum_model_set_tensor(caelum_model *model, const char *name, const float *data, size_t values,
                            struct caelum_error *err);

/* A model at work: weights in the form that the kernels read, and memory for pictures on their way. */
typedef struct caelum_engine caelum_engine;

struct caelum_engine_settings {
    size_t layer; /* of the network's table, up to which pictures run; 0: the last, the output */
    int threads;  /* of one run; 0 = the default; no influence on the result */
};
struct caelum_engine_settings caelum_engine_defaults(void);

/* Opens one for a model, which must outlive it. Fails with CAELUM_EUSAGE for a layer that isn't there,
 * CAELUM_ERESOURCE. */
int caelum_engine_open(caelum_engine **engine, const caelum_model *model,
                       const struct caelum_engine_settings *settings, struct caelum_error *err);
/* Runs `count` pictures, in: [count][channels][row][column] floats of the network's input. out: [count] times
 * the layer's output, likewise. Any number of threads may do so at a time. The first run of a number of
 * pictures takes memory for them, which the model keeps until it is closed or its weights change; later ones
 * take none. Fails with CAELUM_ERESOURCE. */
int caelum_engine_run(const caelum_engine *engine, const float *in, size_t count, float *out,
                      struct caelum_error *err);
void caelum_engine_close(caelum_engine **engine);

/* The same without an engine of one's own, up to layer `layer` <= layers of the network's table: 0 is the
 * input itself, `layers` the output, the latent mark's row the code; on the default number of threads. Fails
 * with CAELUM_EUSAGE for a layer that isn't there, CAELUM_ERESOURCE. */
int caelum_model_run(const caelum_model *model, size_t layer, const float *in, size_t count, float *out,
                     struct caelum_error *err);

/* Value of a metadata key ("task", "seed", "split_seed", "command", ...), or NULL. */
const char *caelum_model_metadata(const caelum_model *model, const char *key);
/* The i-th key, or NULL beyond the last. */
const char *caelum_model_metadata_key(const caelum_model *model, size_t i);
/* Adds a key to the metadata, or changes it; both texts are copied. Fails with CAELUM_EFORMAT if there are
 * more than 1024, with CAELUM_ERESOURCE. */
int caelum_model_set_metadata(caelum_model *model, const char *key, const char *value,
                              struct caelum_error *err);
/* Rounds the weights to half precision (IEEE 754 binary16), in which the model is then saved: half the bytes.
 * A model loaded from such a file is saved as such. Not while another thread runs it. Fails with
 * CAELUM_EFORMAT, naming the tensor, if a weight is beyond 65504; the model is then as it was. */
int caelum_model_round_half(caelum_model *model, struct caelum_error *err);
/* Writes the model, whole or not at all; an existing file is replaced, of a run directory its
 * best.safetensors. Fails with CAELUM_EIO; with CAELUM_EFORMAT, naming the tensor, if a weight is not finite.
 */
int caelum_model_save(const caelum_model *model, const char *path, struct caelum_error *err);

/* Writes the model as another program's file, whole or not at all, in the format that the path ends in:
 * .safetensors (as caelum_model_save), .onnx, .npz (NumPy). docs/formats.md says what each keeps. Fails with
 * CAELUM_EUSAGE for another ending or a format that this build leaves out, CAELUM_EFORMAT if the format can't
 * hold this network, CAELUM_EIO, CAELUM_ERESOURCE. */
int caelum_model_export(const caelum_model *model, const char *path, struct caelum_error *err);
/* The same in the format of an ending, ".onnx", whatever the path ends in. */
int caelum_model_export_as(const caelum_model *model, const char *ending, const char *path,
                           struct caelum_error *err);

struct caelum_import_settings {
    const char *net_path; /* the network's text, for files that hold weights alone; NULL: the file has it */
    size_t height, width; /* of the pictures, where the file leaves them open; default 32. An ONNX file by
                             caelum says what size it was trained on */
    const char *order; /* "encoder,decoder": tensors of other names than the network's in its order, by their
                          names or what these begin with up to a dot or slash; NULL: the file must tell */
};
struct caelum_import_settings caelum_import_defaults(void);
/* Makes a model of such a file, by its ending. Fails with CAELUM_EFORMAT, naming the part of the file that is
 * wrong, can't be said in a network's text, or could be one tensor as well as another of the network's;
 * CAELUM_EUSAGE (as above; a network is needed, or one is given for a file that has its own), CAELUM_EIO,
 * CAELUM_ERESOURCE. */
int caelum_model_import(caelum_model **model, const char *path, const struct caelum_import_settings *settings,
                        struct caelum_error *err);

/* Writes `count` arrays as NumPy's .npz, which numpy.load reads, each under its name: 32-bit floats. Same
 * arrays, same bytes. Fails with CAELUM_EUSAGE for an empty name or two that are equal, CAELUM_EIO,
 * CAELUM_ERESOURCE. */
int caelum_arrays_save(const char *path, const struct caelum_tensor *arrays, size_t count,
                       struct caelum_error *err);

/* --- Metrics ---------------------------------------------------------------------------------- */

/* Errors of reconstructed pictures against the originals. Outputs are clamped to [0, 1] and rounded
 * to 8 bit before they are measured, except for mse_float. docs/metrics.md has the formulas. */
struct caelum_metrics {
    size_t count;     /* pictures */
    double mse;       /* mean squared error over all pixels and channels */
    double mse_float; /* the same before rounding to 8 bit */
    double psnr;      /* -10 log10(mse), dB */
    double psnr_mean; /* mean of the pictures' own PSNRs, dB, each cut off at 100 dB; always higher */
    double ssim;      /* Wang 2004: 11x11 Gaussian, sigma 1.5, mean over R, G, B */
    double mae;       /* mean absolute error */
    double accuracy;  /* Keras's categorical accuracy: share of pixels whose largest channel agrees */
};

/* A reference that needs no training by gradient: the best linear code, fitted on the train split. */
struct caelum_baseline {
    char name[96];  /* "PCA 768", "4x4-block KLT, 8x8x12" */
    size_t numbers; /* latent numbers a picture */
    struct caelum_metrics metrics;
};

/* How a model is measured; NULL stands for the defaults. */
struct caelum_eval_settings {
    enum caelum_split split;  /* default CAELUM_TEST */
    int threads;              /* 0 = the default; no influence on the result */
    caelum_progress progress; /* may be NULL */
    void *cookie;
    const caelum_dist *dist; /* ranks that share the pictures, but not of baselines; as for training */
    double noise;  /* that a denoiser is told: its standard deviation, of 255, 0 to 55; default 25 */
    double vivid;  /* of a colorizer, as in struct caelum_colorize_settings; default 0 */
    size_t hints;  /* of a colorizer: random pixels of each picture whose true colors are given; default 0 */
    uint64_t seed; /* of their places, and of noise; default 1 */
    /* of a colorizer: a directory, made if it isn't there, for contact sheets: grey, vivid 0, vivid 1, truth,
     * of 20 pictures chosen by `seed` and the ten that gain and lose most in UV MSE; NULL: none */
    const char *sheets;
};

struct caelum_eval_settings caelum_eval_defaults(void);

/* Sets the fields of `settings` that decide which pictures there are and how they are split to what the
 * model's training had, so that the model has seen none of the test pictures: split_seed, limit,
 * synthetic_seed and resize; and crop, so that pictures in files get the model's size. A field of which the
 * model's metadata say nothing stays. CAELUM_EFORMAT if they are damaged; then nothing is set. */
int caelum_model_data_settings(const caelum_model *model, struct caelum_data_settings *settings,
                               struct caelum_error *err);

/* Measures `model` over a split, a denoiser on pictures with noise. Fails with CAELUM_EFORMAT if it does not
 * fit them, CAELUM_EUSAGE if noise is out of range or ranks differ, CAELUM_ERESOURCE, CAELUM_ESTOPPED. */
int caelum_eval(const caelum_model *model, const caelum_data *data,
                const struct caelum_eval_settings *settings, struct caelum_metrics *metrics,
                struct caelum_error *err);

/* Fits PCA and block KLT with `numbers` latent numbers on the train split (kept in the data's cache
 * directory for next time) and measures them on a split. *count is the room in `list`, then the number of
 * baselines written to it. A code that doesn't exist at this size is left out. */
int caelum_baselines(const caelum_data *data, const struct caelum_eval_settings *settings, size_t numbers,
                     struct caelum_baseline *list, size_t *count, struct caelum_error *err);

/* --- Colorization ----------------------------------------------------------------------------- */

/* How well a colorizer's U and V agree with the truth: BT.601, U = 0.492 (B - Y), V = 0.877 (R - Y) with
 * Y, R, G, B in [0, 1]. They are merged with the truth's own Y, and what is measured is that picture,
 * clamped to [0, 1] and rounded to 8 bit, except for uv_mse_float and accuracy. docs/metrics.md has the
 * formulas, and says which of these a grey picture wins. */
struct caelum_color_metrics {
    size_t count;        /* pictures */
    double uv_mse;       /* mean over pixels of (dU^2 + dV^2) / 2; the main figure */
    double uv_mse_float; /* the same of U and V as they are */
    double r2;           /* 1 - uv_mse / uv_mse of grey: 0 for grey, 1 for the truth */
    double rgb_mse;      /* mean squared error over all pixels and R, G, B */
    double psnr;         /* -10 log10(rgb_mse), dB */
    double psnr_mean;    /* mean of the pictures' own PSNRs, dB, each cut off at 100 dB */
    double ssim;         /* as for reconstruction, over R, G, B */
    double mae;          /* mean absolute error over all pixels and R, G, B */
    double auc;          /* mean over t = 0, 1, ..., 150 of the share of pixels whose (a*, b*) is within t */
    double ciede2000;    /* mean color difference */
    double colorfulness; /* Hasler & Suesstrunk 2003 on 0..255, mean over pictures; 0 for grey */
    double colorfulness_truth;
    double accuracy;   /* share of pixels where the larger of U and V agrees */
    double acc2, acc5; /* share of pixels within 2 (5) of L* and 4.4 (11) of a*, b*, all rounded */
};

/* A colorizer that is no network, fitted on the train split, or an oracle, which knows the truth. */
struct caelum_color_baseline {
    char name[96];
    struct caelum_color_metrics metrics;
};

/* Runs a colorizer - a model whose network takes Y, or Y and hints (CAELUM_COLORIZE), and gives U and V -
 * over a split and measures it. Fails with CAELUM_EFORMAT if the model is no colorizer or does not fit the
 * pictures, CAELUM_EUSAGE if vivid is out of range or the model takes no hints, CAELUM_ERESOURCE,
 * CAELUM_ESTOPPED. */
int caelum_eval_color(const caelum_model *model, const caelum_data *data,
                      const struct caelum_eval_settings *settings, struct caelum_color_metrics *metrics,
                      struct caelum_error *err);

/* Sets the model's "vivid_gain": the largest at which pictures of the validation split, without hints, are no
 * more colorful than the truth and no further from it, by uv_mse, than grey. Fails likewise. */
int caelum_color_calibrate(caelum_model *model, const caelum_data *data,
                           const struct caelum_eval_settings *settings, struct caelum_error *err);

/* Measures on a split the baselines of every colorizer, fitted on the train split where there is something
 * to fit, and keeps it in the data's cache directory for next time. *count is the room in `list`, then the
 * number of these, the first of them, that are written to it:
 *   "grey copy": U = V = 0
 *   "constant": mean U and V
 *   "table by luminance": mean U and V of pixels of the same Y, 256 steps
 *   "table by luminance and place": that and what it leaves over on average at the pixel's place, by 32
 *     bands of Y; a mean over few pixels is drawn towards 0
 *   "oracle: one color a picture": the picture's own true mean U and V
 *   "oracle: UV of 8x8 blocks": the same of each of its blocks */
int caelum_color_baselines(const caelum_data *data, const struct caelum_eval_settings *settings,
                           struct caelum_color_baseline *list, size_t *count, struct caelum_error *err);

/* Whether a colorizer does more than copy grey, given grey's figures on the same pictures: colorfulness of at
 * least 5, r2 of at least 0.05, psnr at least 0.3 dB above grey's. */
bool caelum_color_learned(const struct caelum_color_metrics *metrics,
                          const struct caelum_color_metrics *grey);

/* --- Classification --------------------------------------------------------------------------- */

/* What a classifier (CAELUM_CLASSIFY), whose outputs go through a softmax, makes of labelled pictures. */
struct caelum_class_metrics {
    size_t count;         /* pictures */
    double accuracy;      /* share of them whose class has the largest output, the first of equals */
    double cross_entropy; /* mean of -ln of the class's probability, nats a picture; ln 10 = 2.303 for one
                             guess in ten */
};

/* Runs a classifier over a split and measures it. Fails with CAELUM_EFORMAT if the data has no labels, or
 * other pictures or classes than the model; CAELUM_ERESOURCE, CAELUM_ESTOPPED. */
int caelum_eval_class(const caelum_model *classifier, const caelum_data *data,
                      const struct caelum_eval_settings *settings, struct caelum_class_metrics *metrics,
                      struct caelum_error *err);

/* The semantic test of a colorizer (Zhang, Isola & Efros 2016): does a classifier that was trained on colored
 * pictures recognize more in the colorizer's colors than in grey? docs/metrics.md says what it can't tell. */
struct caelum_semantic_metrics {
    struct caelum_class_metrics color;     /* the pictures as they are */
    struct caelum_class_metrics grey;      /* R = G = B = Y, rounded to 8 bit */
    struct caelum_class_metrics recolored; /* predicted U and V with the true Y, clamped, rounded to 8 bit */
    double closed; /* (recolored - grey) / (color - grey) of accuracies: 0 for grey, 1 for the truth; NaN
                      where color is no better than grey */
};

/* Measures it on a split, chroma predicted as for caelum_eval_color. Fails as that and caelum_eval_class do.
 */
int caelum_eval_semantic(const caelum_model *colorizer, const caelum_model *classifier,
                         const caelum_data *data, const struct caelum_eval_settings *settings,
                         struct caelum_semantic_metrics *metrics, struct caelum_error *err);

/* --- Training --------------------------------------------------------------------------------- */

/* What a training run minimizes; docs/training.md has the formulas. */
enum caelum_loss {
    CAELUM_MSE,   /* mean squared error */
    CAELUM_BCE,   /* binary cross-entropy; needs targets in [0, 1] */
    CAELUM_L1,    /* mean absolute error */
    CAELUM_HUBER, /* squared up to `huber_delta`, linear beyond */
    CAELUM_XENT,  /* cross-entropy of the softmax over channels, nats a pixel; for CAELUM_CLASSIFY alone */
};

/* How a gradient changes the weights; PyTorch's definitions and defaults. */
enum caelum_optimizer {
    CAELUM_ADAM,    /* Kingma & Ba 2015; beta 0.9, 0.999, epsilon 1e-8 */
    CAELUM_ADAMW,   /* the same with decoupled weight decay, Loshchilov & Hutter 2019 */
    CAELUM_SGD,     /* with momentum */
    CAELUM_RMSPROP, /* Tieleman & Hinton 2012; alpha 0.99, epsilon 1e-8 */
    /* Jordan and others 2024: the weights of convolutions and dense layers, as matrices, make steps of the
     * same size in all directions; the rest goes by CAELUM_ADAMW with a fifth of the step size */
    CAELUM_MUON,
};

/* How the step size changes from step to step; docs/training.md has the formulas. */
enum caelum_schedule {
    CAELUM_CONSTANT,
    CAELUM_STEP,     /* times lr_gamma every lr_step_epochs epochs */
    CAELUM_COSINE,   /* half a cosine down to 0 at the end */
    CAELUM_ONECYCLE, /* up from lr / 25 over 0.3 of the run, then down to almost 0 */
    CAELUM_PLATEAU,  /* times lr_gamma after more than lr_patience epochs without a better validation loss */
};

/* The words for the values of these enums, as command line and model files use them; NULL at the end. */
extern const char *const caelum_task_words[], *const caelum_loss_words[], *const caelum_optimizer_words[],
                                                                              *const caelum_schedule_words[];

/* Means over the pictures of one epoch. */
struct caelum_epoch {
    size_t epoch;                            /* 1, 2, ... */
    double loss, psnr, accuracy;             /* train split, measured while the weights changed; of the
                                                network's output against its target. psnr is that of
                                                the squared error, whatever the loss, but NaN with
                                                CAELUM_XENT, whose outputs equal no target; accuracy is
                                                then the share of pictures whose class is found */
    double val_loss, val_psnr, val_accuracy; /* validation split, after the epoch */
    double seconds;                          /* this epoch, validation included */
    double pictures_per_second;              /* training alone */
    bool best; /* lowest val_loss so far, or the latest epoch where a layer adds a cost that no loss shows */
    double lr; /* step size of its last step */
};

struct caelum_train_progress {
    size_t epoch, epochs;  /* the epoch under way, 1 based */
    size_t batch, batches; /* minibatches done in it */
    double loss;           /* mean over this epoch so far */
    double last_val_loss;  /* of the epoch before; NaN in the first */
    double pictures_per_second;
    double seconds_left;                 /* of the whole run; NaN while too little of it is done */
    size_t ranks, parts;                 /* ranks, and into how many parts a minibatch can be shared */
    const struct caelum_epoch *finished; /* not NULL once after each epoch */
};

struct caelum_train_settings {
    const char *net_path;  /* the network's text; not used on resume */
    const caelum_net *net; /* in place of it, its text at the size of the data's pictures; borrowed */
    const char *data;      /* as for caelum_data_open; on resume where the same pictures are now, NULL: where
                              they were */
    struct caelum_data_settings data_settings;
    /* Data that are open, in place of `data` and data_settings; borrowed until the call returns. A resumed
     * run on pictures from memory needs them again: the same ones in the same split */
    const caelum_data *open_data;
    enum caelum_task task; /* default CAELUM_RECONSTRUCT */
    /* Run directory to make; must not exist unless `force`. NULL: no file is written, and the model is handed
     * over in the result */
    const char *out;
    bool force;                      /* write into an existing run directory */
    bool resume;                     /* resume the run in `out`; everything else is read from it */
    const char *init;                /* a model whose weights the run starts from; NULL: random ones. Its
                                        network must have the same parameters; not used on resume */
    size_t epochs;                   /* default 50; on resume, 0 = as before */
    size_t batch;                    /* default 50 */
    double lr;                       /* step size, the largest of the run; default 0.001 */
    enum caelum_schedule schedule;   /* default CAELUM_CONSTANT */
    double warmup;                   /* epochs of linear rise before it; default 0 */
    size_t lr_step_epochs;           /* default 20 */
    double lr_gamma;                 /* default 0.1 */
    size_t lr_patience;              /* default 5 */
    enum caelum_optimizer optimizer; /* default CAELUM_ADAM */
    double momentum;                 /* of CAELUM_SGD; default 0.9 */
    double weight_decay;             /* on all parameters; default 0 */
    double clip;                     /* largest norm of the whole gradient; default 0: any */
    double ema;                      /* decay of a running mean of the weights, which is then validated and
                                        saved; default 0: none */
    size_t early_stop;   /* end after this many epochs without a better validation loss; default 0: never */
    bool flip;           /* mirror half of the training pictures, other ones in every epoch; default false */
    size_t shift;        /* move training pictures by up to this many pixels, 0 to 7, each way; default 0 */
    double largest_fake; /* of CAELUM_RESTORE and CAELUM_DETECT: half length of the largest fake defect, above
                          * 0 to 1 as a share of the picture's shorter side; default 0.25 */
    enum caelum_loss loss;     /* default CAELUM_MSE */
    double huber_delta;        /* where CAELUM_HUBER becomes linear; default 0.1, 25 of 255 grey levels */
    uint64_t seed;             /* weights, order of pictures, flips, shifts, hints; default 1 */
    int threads;               /* 0 = the default; no influence on the result */
    double checkpoint_minutes; /* save also within epochs, when that long has passed; 0, the default: not */
    /* Ranks that share the work of each step; NULL: this process alone. All of them make the call, with the
     * same settings but for threads and what concerns the caller, and it returns the same code to all: where
     * one fails, or its progress asks to stop. Rank 0 writes the files: for the others `out` counts as NULL.
     * No influence on the result; borrowed */
    const caelum_dist *dist;
    const char *command; /* the command line, kept in run.json and model; may be NULL */
    /* Hands over pictures when they are wanted: called before each minibatch, from the calling thread, with
     * the number of steps done and the n pictures that the data have for it, as bytes
     * [n][channels][height][width], to be changed or replaced: frames of a camera, rows of a database,
     * distortions of one's own. They are then flipped and shifted, as the settings say. A non-zero result
     * ends the run as that of `progress` does, before the batch. The data's train split says how many
     * pictures an epoch has; validation is by the data. May be NULL */
    int (*feed)(void *cookie, uint64_t step, size_t n, uint8_t *pixels);
    /* After every batch and epoch. May be NULL */
    int (*progress)(void *cookie, const struct caelum_train_progress *progress);
    caelum_progress stage; /* for what comes before and after training; may be NULL */
    void *cookie;
};

struct caelum_train_settings caelum_train_defaults(void);

/* Every setting that decides what a run ends with, and what `caelum train` calls it; name NULL at the end.
 * docs/training.md explains them. */
extern const struct caelum_option caelum_train_options[];

/* Sets the one of that name from text. Fails with CAELUM_EUSAGE if there is none, or the text is no value. */
int caelum_train_set(struct caelum_train_settings *settings, const char *name, const char *text,
                     struct caelum_error *err);

struct caelum_train_result {
    enum caelum_task task; /* a resumed run's own */
    size_t epochs;         /* done in all, those before a resume included */
    size_t best_epoch;     /* by caelum_epoch.best */
    double best_val_loss, best_val_psnr, best_val_accuracy;
    double seconds;   /* of this call */
    bool stopped;     /* the callback asked to stop: `out` can be resumed */
    bool ended_early; /* by early_stop */
    /* Without a run directory: the model of the best epoch or, if none was finished, as it was left; the
     * caller's, to be closed. Else NULL */
    caelum_model *model;
};

/* Trains, writing a run directory: run.json, metrics.csv, last.safetensors, best.safetensors,
 * checkpoint.safetensors, curves.svg, and, but for CAELUM_CLASSIFY, reconstructions.png or
 * colorizations.png; and, if built with protobuf-c, an event file for TensorBoard. A non-zero result of the
 * progress callback ends the run after that batch or epoch, saved and resumable; the call then returns
 * CAELUM_OK with result->stopped set, unless it was the last epoch. `result` may be NULL where there is a run
 * directory. The result depends on the network, the data, the settings and the seed alone: not on threads or
 * instruction set (from AVX2 up), nor on stops and resumes - unless a resume changes `epochs`, to which the
 * cosine and onecycle schedules are then stretched. CAELUM_EDIVERGED if the loss explodes (docs/training.md
 * has the rule): `out` then holds what the last finished epoch left. */
int caelum_train(const struct caelum_train_settings *settings, struct caelum_train_result *result,
                 struct caelum_error *err);

/* --- Figures ---------------------------------------------------------------------------------- */

/* A member of struct caelum_metrics, caelum_color_metrics or caelum_class_metrics: what there is to know of
 * it in order to print it, keep it or compare by it. */
struct caelum_figure {
    const char *key; /* the member's name, and what it is called in JSON: "psnr"; NULL behind the last row */
    size_t offset;   /* of the double in its struct */
    const char *title;  /* for readers: "PSNR" */
    const char *unit;   /* "dB"; "" if there is none */
    const char *format; /* "%.2f" */
    int better;         /* -1: the lower the better, 1: the higher, 0: neither */
    bool column;        /* has a column in tables */
};

/* The figures of a model of that task; those of CAELUM_RECONSTRUCT and CAELUM_DENOISE are the same. The first
 * is the main one. */
const struct caelum_figure *caelum_figures(enum caelum_task task);
/* Its value in a metrics struct of that task. */
double caelum_figure_value(const struct caelum_figure *figure, const void *metrics);

/* --- Studies ---------------------------------------------------------------------------------- */

/* What has just happened to a run of a study. */
enum caelum_study_event {
    CAELUM_STUDY_BATCH,    /* a minibatch of it is done */
    CAELUM_STUDY_EPOCH,    /* an epoch of it is done */
    CAELUM_STUDY_FINISHED, /* it is trained and measured */
    CAELUM_STUDY_FAILED,   /* it is given up; the others go on */
};

struct caelum_study_progress {
    enum caelum_study_event event;
    const char *run;     /* the run it happened to, its seed included: "custom-b50-s1" */
    size_t runs;         /* of the study, each seed counted */
    size_t finished;     /* of them, those finished now or before, or failed */
    size_t failed;       /* of them, those failed */
    double part;         /* share of this call's work that is done, by multiply-adds */
    double seconds_left; /* of this call, on the same reckoning; NaN while too little is done */
    const struct caelum_train_progress *train; /* of BATCH and EPOCH, else NULL */
    const struct caelum_train_result *result;  /* of FINISHED; zeroed if it was trained before */
    const struct caelum_error *error;          /* of FAILED */
};

struct caelum_study_settings {
    const char *path;        /* the study file, see docs/studies.md */
    const char *out;         /* directory of the study; runs are in OUT/runs/NAME-sSEED */
    const char *data;        /* of the runs that name none, as for caelum_data_open */
    const char *cache_dir;   /* as in struct caelum_data_settings */
    const char *models;      /* directory of networks that are not found relative to the file; may be NULL */
    const char *const *only; /* names of the runs wanted, [only_count] */
    size_t only_count;       /* 0: all */
    bool quick;              /* 2 epochs of the first seed on 2,000 pictures: to see that all works */
    bool report_only;        /* run nothing, only write the report of existing runs */
    bool force;              /* train again where a directory has a different training */
    int threads;             /* 0 = the default */
    int jobs;                /* runs side by side, one thread each; 1: one after the other on all threads;
                                0 = as many as threads. No influence on the results */
    /* Ranks that share the runs, the largest first, all in the directory `out`, which each of them sees; each
     * then tells of its own. NULL: this process alone. Borrowed */
    const caelum_dist *dist;
    /* After every batch, epoch and run; from any thread, but one call at a time. A non-zero result stops
     * all runs after the batch under way, each saved. */
    int (*progress)(void *cookie, const struct caelum_study_progress *progress);
    caelum_progress stage;                                 /* while data are opened; may be NULL */
    void (*opened)(void *cookie, const caelum_data *data); /* as in struct caelum_data_settings */
    void *cookie;
};

struct caelum_study_settings caelum_study_defaults(void);

struct caelum_study_result {
    size_t runs;             /* asked for */
    size_t finished_before;  /* found finished: not run again */
    size_t finished, failed; /* in this call */
    bool stopped;            /* the callback asked to stop; calling again resumes */
    double seconds;
};

/* Runs what is missing of a study: runs that are finished stay as they are, unfinished ones are resumed.
 * All first seeds come before all second seeds. Each finished run is measured on the test split; its
 * figures are in its eval.json. At the end, and when stopped, it writes OUT/report: index.html, one file that
 * loads nothing, study.md and results.json. Before the first training it fails with CAELUM_EFORMAT or
 * CAELUM_EIO for a mistake in the file ("file:line:column: ..."), a network or data set that can't be used,
 * or a run directory that holds another training. A run that fails does not stop the others; the call then
 * returns the first failure's code, with *result filled. */
int caelum_study(const struct caelum_study_settings *settings, struct caelum_study_result *result,
                 struct caelum_error *err);

/* --- Comparing runs --------------------------------------------------------------------------- */

/* Run directories side by side: a row each; columns are the settings in which they differ, then figures. */
typedef struct caelum_comparison caelum_comparison;

/* Reads run.json, metrics.csv and, where it is there, eval.json of 1 to 64 run directories, finished or
 * not. A directory that is none stands for all that are below it. Fails with CAELUM_EIO, CAELUM_EFORMAT, or
 * CAELUM_EUSAGE where there are more. */
int caelum_comparison_open(caelum_comparison **comparison, const char *const *dirs, size_t count,
                           struct caelum_error *err);
void caelum_comparison_close(caelum_comparison **comparison);

size_t caelum_comparison_rows(const caelum_comparison *comparison);
/* Key of a column, "run" for the first, or NULL beyond the last. */
const char *caelum_comparison_key(const caelum_comparison *comparison, size_t column);
/* Text of a cell; "" where the run has no such figure. */
const char *caelum_comparison_cell(const caelum_comparison *comparison, size_t row, size_t column);

/* Draws the validation losses by epoch into `path`: a chart if it ends in .svg (at most 16 runs), or the
 * table with charts of loss and accuracy, one page that loads nothing, if it ends in .html. */
int caelum_comparison_draw(const caelum_comparison *comparison, const char *path, struct caelum_error *err);

/* The learning rate range test (Smith 2017): minibatches whose step size grows from 1e-7 to 10. */
enum { CAELUM_LR_POINTS = 200 };
struct caelum_lr_point {
    double lr, loss; /* of one minibatch */
    double smooth;   /* running mean of the losses, decay 0.9 */
};
struct caelum_lr_find {
    double suggestion; /* where `smooth` falls fastest against log lr; 0: it falls nowhere */
    size_t count;      /* points before `smooth` rose above 4 times its lowest */
    struct caelum_lr_point point[CAELUM_LR_POINTS];
};

/* Does the test with a run's settings, of which lr, schedule and warmup don't matter, and writes lr_find.csv
 * and lr_find.svg into settings->out, which must not exist unless `force`. Trains nothing that is kept. */
int caelum_lr_find(const struct caelum_train_settings *settings, struct caelum_lr_find *found,
                   struct caelum_error *err);

/* --- Pictures --------------------------------------------------------------------------------- */

/* 8-bit RGB; `pixels` holds height * width * 3 bytes. A picture in braces should have its fields named:
 * others may come. */
struct caelum_picture {
    size_t width, height;
    uint8_t *pixels; /* owned by the picture */
    uint16_t *wide; /* the same in 16 bits a channel, likewise, of which `pixels` are rounded; NULL: 8 bits */
    double dpi_x, dpi_y; /* pixels an inch, as PNG, JPEG and TIFF can say it; 0: not known */
};

/* Reads PNG, JPEG, a still WebP or the first page of a TIFF, told apart by content, as upright sRGB: an
 * embedded ICC profile (RGB, grey; in JPEG and TIFF CMYK too), PNG's other words on color, and the
 * orientation are applied, transparent pixels laid over white (docs/pictures.md). Opaque PNGs of 16 bits
 * whose colors need no conversion have `wide`. A profile that is damaged or describes another kind of pixels
 * is left out: colors are then taken as sRGB, CMYK by a plain formula. What is damaged behind or between
 * complete pixels is passed over; pixels that are damaged or missing are an error, and so are more than 2^28
 * of them, or more than the file's bytes can hold. Fails with CAELUM_EIO, CAELUM_EFORMAT, CAELUM_ERESOURCE,
 * CAELUM_EUSAGE for a format that this build leaves out. */
int caelum_picture_load(struct caelum_picture *picture, const char *path, struct caelum_error *err);
/* The same from a whole file's bytes, which are not kept; errors start with `name`. */
int caelum_picture_decode(struct caelum_picture *picture, const uint8_t *bytes, size_t size, const char *name,
                          struct caelum_error *err);

enum caelum_picture_format {
    CAELUM_PNG,  /* lossless, quick rather than small; 16 bits where the picture has `wide` */
    CAELUM_JPEG, /* quality 92, colors in full resolution; at most 65,500 pixels a side */
    CAELUM_WEBP, /* lossy, quality 90; at most 16,383 pixels a side; has no place for the resolution */
    CAELUM_TIFF, /* is read, not written */
};
/* Makes a whole file in memory. *bytes is the caller's, to be ended by caelum_picture_bytes_free. Fails with
 * CAELUM_EUSAGE if the picture is empty or too large for the format, or the format isn't written;
 * CAELUM_ERESOURCE. */
int caelum_picture_encode(const struct caelum_picture *picture, enum caelum_picture_format format,
                          uint8_t **bytes, size_t *size, struct caelum_error *err);
/* Sets the pointer to NULL; accepts NULL in it. */
void caelum_picture_bytes_free(uint8_t **bytes);

/* Writes a file, whole or not at all, in the format that the path ends in: .png, .jpg or .jpeg, .webp, in
 * small letters or capitals. Fails as caelum_picture_encode, with CAELUM_EUSAGE for another ending, with
 * CAELUM_EIO. */
int caelum_picture_save(const struct caelum_picture *picture, const char *path, struct caelum_error *err);
/* Frees the pixels; safe on a zeroed picture. */
void caelum_picture_free(struct caelum_picture *picture);

/* Runs a reconstruction model on a picture of any size. A picture that is larger than what the model
 * was trained on is cut into overlapping tiles of that size, blended where they overlap; one that is
 * smaller is extended by mirroring. `out` is filled with a picture of the same size, to be freed by
 * the caller. */
int caelum_reconstruct(const caelum_model *model, const struct caelum_picture *in, int threads,
                       struct caelum_picture *out, struct caelum_error *err);

/* What somebody knows about a picture's colors: the one at a pixel, column x and row y. */
struct caelum_hint {
    size_t x, y;
    uint8_t rgb[3]; /* only its U and V matter */
};

/* A pixel of a painted hint picture is a hint if the largest of its red, green and blue is at least this much
 * above the smallest: saved as JPEG, grey pixels near painted ones have up to about ten. */
#define CAELUM_HINT_CHROMA 12

struct caelum_colorize_settings {
    /* 0: the most likely colors on average, which have the lowest error and are pale; 1: as colorful as true
     * pictures are on average. Chroma is multiplied by 1 + vivid (g - 1), g being the model's metadata
     * "vivid_gain", 2 if it has none; default 0.5 */
    double vivid;
    const struct caelum_hint *hints;
    size_t hint_count; /* default 0 */
    int threads;       /* 0 = the default; no influence on the result */
    bool restore;      /* a faded picture's result goes from black to white again; default false */
};

struct caelum_colorize_settings caelum_colorize_defaults(void);

/* Colors a picture of any size; of its own colors only luminance is looked at, and kept at every pixel. Where
 * that is the luminance of a faded picture - all but 0.5 % of the pixels at each end use between 8 and 70 %
 * of the range - the network is shown it from 0.1 to 0.9. The picture is made as small as those that the
 * network was trained on, chroma is predicted there, and brought back along the edges of luminance
 * (docs/colorize.md). Of several hints within one small pixel the mean counts. `out` is to be freed by the
 * caller. Fails with CAELUM_EFORMAT if the model is no colorizer, CAELUM_EUSAGE if it takes no hints and is
 * given some, one is outside the picture, or a setting is out of range, CAELUM_ERESOURCE. */
int caelum_colorize(const caelum_model *model, const struct caelum_picture *in,
                    const struct caelum_colorize_settings *settings, struct caelum_picture *out,
                    struct caelum_error *err);

/* Colorfulness of a picture (Hasler & Suesstrunk 2003, as in caelum_color_metrics): 0 for grey, about 34 on
 * average for photographs, and below 5 hardly seen as colored. */
double caelum_colorfulness(const struct caelum_picture *picture);

/* --- Noise ------------------------------------------------------------------------------------ */

/* How strong noise can be that is taken out: a standard deviation of 55 of 255. */
#define CAELUM_MOST_NOISE 55.0

struct caelum_denoise_settings {
    double sigma;    /* standard deviation of the noise, 0 to CAELUM_MOST_NOISE of 255; below 0, the default:
                        what caelum_noise estimates, or CAELUM_MOST_NOISE where that is more */
    double strength; /* share of the noise that is taken out, 0 to 1; default 1 */
    int threads;     /* 0 = the default; no influence on the result */
};

struct caelum_denoise_settings caelum_denoise_defaults(void);

/* Takes white Gaussian noise out of a picture of any size, by a denoiser: a model whose network takes R, G, B
 * and the noise's deviation, 4 channels, and gives the noise, 3 channels. `out` is to be freed by the caller,
 * and has 16 bits where `in` does; *sigma, which may be NULL, is set to the deviation that the network was
 * told. Beside both pictures it takes memory for some tiles. What is grey stays grey. Fails with
 * CAELUM_EFORMAT if the model is no denoiser, CAELUM_EUSAGE if a setting is out of range or the picture is
 * too small for an estimate, CAELUM_ERESOURCE. */
int caelum_denoise(const caelum_model *model, const struct caelum_picture *in,
                   const struct caelum_denoise_settings *settings, struct caelum_picture *out, double *sigma,
                   struct caelum_error *err);
/* The same of numbers, in: [height][width][3] of which 0 is black and 1 white, and which may go beyond both;
 * out likewise, neither clamped nor rounded. */
int caelum_denoise_values(const caelum_model *model, const float *in, size_t width, size_t height,
                          const struct caelum_denoise_settings *settings, float *out, double *sigma,
                          struct caelum_error *err);

/* Estimates the standard deviation of the white noise of a picture, of 255, by its smoothest patches (Colom &
 * Buades, "Analysis and extension of the Ponomarenko et al. method", IPOL 2013); docs/denoise.md has the
 * steps. Fails with CAELUM_EUSAGE for a picture with a side of less than 24 pixels, CAELUM_ERESOURCE. */
int caelum_noise(const struct caelum_picture *picture, double *sigma, struct caelum_error *err);

/* --- Codes ------------------------------------------------------------------------------------ */

/* A model whose network has a `quantize` layer turns pictures into a few whole numbers and these, by the
 * probabilities that the layer has learned, into bytes. A codec does one call at a time. */
typedef struct caelum_codec caelum_codec;

/* The model must outlive the codec. threads = 0: the default; no influence on the bytes. Fails with
 * CAELUM_EFORMAT if the model does not reconstruct pictures, has not exactly one such layer, or has a tensor
 * that goes past it. */
int caelum_codec_open(caelum_codec **codec, const caelum_model *model, int threads, struct caelum_error *err);
void caelum_codec_close(caelum_codec **codec);

/* Which numbers are chosen: each the nearest to what the network says, or its neighbour towards the
 * prediction where that costs less by squared error, in steps, and `price` for each bit. 0: always the
 * nearest; 0.05 takes 6 % off the bits of models/code-small at 8 % more error; at most 1. The
 * model's metadata "price" is the default, 0 if it has none. Any codec of the model decodes the bytes. Fails
 * with CAELUM_EUSAGE. */
int caelum_codec_set_price(caelum_codec *codec, double price, struct caelum_error *err);
double caelum_codec_price(const caelum_codec *codec); /* in squared steps of error, for a bit */

/* A picture of any size to bytes, without any header: size, name and checksum are the file's business. *bytes
 * is the caller's, to be ended by caelum_codec_free. */
int caelum_codec_encode(caelum_codec *codec, const struct caelum_picture *picture, uint8_t **bytes,
                        size_t *size, struct caelum_error *err);
void caelum_codec_free(uint8_t **bytes);
/* A picture as a code. */
struct caelum_code_entry {
    char name[256]; /* 1 to 255 bytes without '/': what the picture is called when it is decoded */
    size_t width, height;
    const uint8_t *bytes;
    size_t size;
};
/* The inverse. The bytes are not validated: any bytes give a picture. */
int caelum_codec_decode(caelum_codec *codec, const struct caelum_code_entry *code,
                        struct caelum_picture *picture, struct caelum_error *err);

/* What a codec makes of the pictures of a split. */
struct caelum_code_metrics {
    double bits; /* of a picture's bytes as caelum_codec_encode makes them, mean */
    struct caelum_metrics decoded;
};
/* Encodes and decodes each picture by itself, at the codec's price; of `settings` only split, progress and
 * cookie count. Fails with CAELUM_EFORMAT if the pictures are grey, CAELUM_ERESOURCE, CAELUM_ESTOPPED. */
int caelum_eval_code(caelum_codec *codec, const caelum_data *data,
                     const struct caelum_eval_settings *settings, struct caelum_code_metrics *metrics,
                     struct caelum_error *err);

/* A file of such codes, written whole or not at all; docs/code-files.md has its format. */
typedef struct caelum_code_writer caelum_code_writer;
/* For at most `most` pictures coded by this codec, which must outlive the writer. */
int caelum_code_writer_open(caelum_code_writer **writer, const char *path, const caelum_codec *codec,
                            size_t most, struct caelum_error *err);
int caelum_code_writer_add(caelum_code_writer *writer, const struct caelum_code_entry *code,
                           struct caelum_error *err);
/* Puts the file, with the pictures that were added, in its place. */
int caelum_code_writer_commit(caelum_code_writer *writer, struct caelum_error *err);
/* Without a commit nothing is left of the file. */
void caelum_code_writer_close(caelum_code_writer **writer);

typedef struct caelum_code_reader caelum_code_reader;
/* Reads a file whole and checks it: CAELUM_EFORMAT if it is no such file, was damaged (its checksum tells),
 * or was written with another model. */
int caelum_code_reader_open(caelum_code_reader **reader, const char *path, const caelum_codec *codec,
                            struct caelum_error *err);
void caelum_code_reader_close(caelum_code_reader **reader);
size_t caelum_code_reader_count(const caelum_code_reader *reader);
/* Entry i < count; it and its bytes last as long as the reader. */
const struct caelum_code_entry *caelum_code_reader_entry(const caelum_code_reader *reader, size_t i);

/* --- Defects ---------------------------------------------------------------------------------- */

/* What a finder of defects knows of good pictures: a network that finds where they were tampered with, and
 * how it scores good pictures that it has not seen. Read-only but for caelum_anomaly_calibrate: any number of
 * threads may use it otherwise. */
typedef struct caelum_anomaly caelum_anomaly;

/* What a training or a calibration has to work with. */
struct caelum_anomaly_start {
    size_t pictures; /* good ones that could be read */
    size_t scored;   /* those whose scores will decide on the threshold */
    size_t needed; /* how many of these the rate takes, 1 / false_alarms - 1; with fewer of them the threshold
                    * is above all of their scores, and the rate that it promises is 1 / (scored + 1) */
};

struct caelum_anomaly_settings {
    /* Pictures with a longer side are reduced to it before anything is looked at, 64 to 8192 pixels; default
     * 512. Defects smaller than about 3 pixels of it are not seen. A calibration uses the model's */
    size_t size;
    double false_alarms; /* share of good pictures that may be called bad, above 0, below 1; default 0.01 */
    size_t steps;        /* of the training of each of the two networks, 32 crops each; default 4000 */
    uint64_t seed;       /* of all that is random; default 1 */
    int threads;         /* 0 = the default; no influence on the result */
    /* The file that the model is saved to before `work` is removed; NULL: it is only handed over */
    const char *out;
    /* Directory for the checkpoints of the training: made, or resumed from if it is there, and removed at the
     * end. NULL: there are none, and a training that is stopped is lost */
    const char *work;
    const char *command; /* the command line, kept in the model; may be NULL */
    /* A non-zero result ends the training with CAELUM_ESTOPPED. May be NULL */
    caelum_progress progress;
    /* A picture that can't be read, and why; it is left out. May be NULL */
    void (*left_out)(void *cookie, const char *path, const char *reason);
    /* Once all are read, before anything is learned. May be NULL */
    void (*started)(void *cookie, const struct caelum_anomaly_start *start);
    void *cookie;
};

struct caelum_anomaly_settings caelum_anomaly_defaults(void);

/* Learns from the good pictures in `directory` and below, of any sizes, two or more; grey if all of them are.
 * The threshold is by a fifth of them that is held out; where the rate takes more (1 / false_alarms - 1), by
 * as many as it takes, half of them at most. The same pictures, settings and seed give the same bits. Fails
 * as caelum_train, with CAELUM_EFORMAT where fewer than two pictures can be read, CAELUM_EUSAGE. */
int caelum_anomaly_train(caelum_anomaly **anomaly, const char *directory,
                         const struct caelum_anomaly_settings *settings, struct caelum_error *err);

/* Sets the threshold by other good pictures: of another camera or day. Fails with CAELUM_EFORMAT where none
 * can be read; the model is then as it was. */
int caelum_anomaly_calibrate(caelum_anomaly *anomaly, const char *directory,
                             const struct caelum_anomaly_settings *settings, struct caelum_error *err);

/* A model of caelum (CAELUM_DETECT), the network of the fine scale; with it, named "coarse.", the network of
 * the coarse scale, and in its metadata the scores of good pictures. */
int caelum_anomaly_save(const caelum_anomaly *anomaly, const char *path, struct caelum_error *err);
int caelum_anomaly_load(caelum_anomaly **anomaly, const char *path, struct caelum_error *err);
/* Sets the handle to NULL; accepts NULL in it. */
void caelum_anomaly_close(caelum_anomaly **anomaly);

struct caelum_anomaly_info {
    size_t good;         /* pictures whose scores are known */
    double false_alarms; /* the share of good pictures that are called bad, as it was asked for */
    double least; /* the smallest rate of false alarms that this number of pictures can promise: 1 / (good +
                     1) */
    double threshold;          /* a picture of this score or a larger one is called bad */
    size_t size;               /* pictures with a longer side are reduced to it */
    const caelum_model *model; /* the network of the fine scale; borrowed */
};
void caelum_anomaly_describe(const caelum_anomaly *anomaly, struct caelum_anomaly_info *info);

/* A rectangle of pixels around a defect. */
struct caelum_anomaly_box {
    size_t x, y, width, height;
    double score; /* the largest in it */
};

enum { CAELUM_ANOMALY_BOXES = 16 };

struct caelum_anomaly_verdict {
    double score; /* the largest of any pixel; larger is worse */
    double p; /* share of good pictures with such a score or a larger one, by rank: (1 + those known) / (1 +
               * all known). If the picture is like the good ones, it is below x with probability x at most
               * (Vovk, Gammerman & Shafer, "Algorithmic Learning in a Random World", 2005) */
    bool bad; /* p is at most false_alarms, or the score above that of all good pictures */
    size_t boxes; /* the worst places, falling; none if the picture is not bad */
    struct caelum_anomaly_box box[CAELUM_ANOMALY_BOXES];
};

/* Judges a picture of any size. map: [height][width], the score of each pixel, comparable between pictures;
 * NULL: it isn't wanted. threads: 0 = the default; no influence on the result. CAELUM_ERESOURCE. */
int caelum_anomaly_score(const caelum_anomaly *anomaly, const struct caelum_picture *picture, int threads,
                         float *map, struct caelum_anomaly_verdict *verdict, struct caelum_error *err);

/* The picture in grey, over it a map [height][width] of it in yellow to red: clear up to half the threshold,
 * in full color from the threshold on. Ended by caelum_picture_free. CAELUM_ERESOURCE. */
int caelum_anomaly_heat(const caelum_anomaly *anomaly, const struct caelum_picture *picture, const float *map,
                        struct caelum_picture *heat, struct caelum_error *err);

struct caelum_anomaly_eval_settings {
    bool no_baselines;        /* measure the finder alone */
    const char *page;         /* HTML file with figures, curves and the worst errors; NULL: none */
    int threads;              /* 0 = the default; no influence on the figures, but for the times */
    caelum_progress progress; /* may be NULL */
    void *cookie;
};

/* Measures a finder on good and bad pictures in folders as MVTec AD has them (Bergmann et al. 2019):
 * `directory`/test/good, test/KIND, and where there are masks ground_truth/KIND/NAME_mask.png; or good and
 * bad in it. Where train/good is there, too, two simple finders that know the patches of its pictures are
 * measured by the same code. *figures: an object in JSON, ended by caelum_anomaly_figures_free;
 * docs/metrics.md has its keys. Fails with CAELUM_EUSAGE where there are no good or no bad pictures,
 * CAELUM_EFORMAT for masks that are missing or of another size or where no picture can be read, CAELUM_EIO,
 * CAELUM_ERESOURCE, CAELUM_ESTOPPED. */
int caelum_anomaly_eval(const caelum_anomaly *anomaly, const char *directory,
                        const struct caelum_anomaly_eval_settings *settings, char **figures,
                        struct caelum_error *err);
/* Sets the handle to NULL; accepts NULL in it. */
void caelum_anomaly_figures_free(char **figures);

/* --- Benchmarks ------------------------------------------------------------------------------- */

/* Called for each figure as it is measured: a dotted name, a value, its unit. */
typedef int (*caelum_bench_line)(void *cookie, const char *name, double value, const char *unit);

struct caelum_bench_settings {
    const char *filter;      /* only figures whose name contains this; NULL = all */
    const char *const *nets; /* files of the networks to measure */
    size_t net_count;        /* 0: the built-in standard network */
    const size_t *batches;   /* pictures in a batch, each 1 to 1000; training leaves out 1 */
    size_t batch_count;      /* default 4: 1, 50, 100, 250 */
    size_t rounds;           /* each figure is the median of this many; default 5 */
    double seconds;          /* length of one measurement; default 0.3 */
    int threads;             /* largest number of threads measured; 0 = the default */
    bool layers;             /* measure the steps of a block instead of whole networks */
    size_t beside;           /* busy processes to measure beside, too; at most 64, default none */
};

struct caelum_bench_settings caelum_bench_defaults(void);
/* The machine's multiply-add peak (fma.tN) and copy bandwidth (copy.tN) on N threads, then each network on
 * generated pictures: NETWORK.train.bN.tN and NETWORK.infer.bN.tN, the pictures a second of training and of
 * inference, and the same with .of_peak behind, the share of the peak that the plain algorithm's operations
 * make. NETWORK is the file's name up to its last dot. A network with one input channel is measured as a
 * colorizer. With a filter, fma.tN comes with the figures that it explains. With `layers`: for each step of
 * the plan NETWORK.stepN.LAYER.forward and .backward, microseconds of a block in one thread, with .of_peak as
 * above and .roof, the share of the peak at which copy bandwidth would be the limit if every tensor came from
 * memory. With `beside` N, in turns with the quiet rate: NETWORK.train.bN.tN.besideN, the rate while N other
 * processes compute, and .besideN.of_quiet, its share of the quiet one. The arrays are borrowed until return.
 */
int caelum_bench(const struct caelum_bench_settings *settings, caelum_bench_line line, void *cookie,
                 struct caelum_error *err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
