/* foreign.c - files that are known by their first bytes, but not read: a person is told what they are and
 * which command makes a picture of them. */
#include "image/image.h"

#define NOT_READ(what, command) what ", which is not read; '" command "' makes a picture of it that is"

static const struct {
    struct image_sign sign;
    const char *sentence;
} known[] = {
    {IMAGE_SIGN("????ftypheic"), NOT_READ("a HEIC picture", "heif-convert photo.heic photo.jpg")},
    {IMAGE_SIGN("????ftypheix"), NOT_READ("a HEIC picture", "heif-convert photo.heic photo.jpg")},
    {IMAGE_SIGN("????ftyphev?"), NOT_READ("a HEIC picture", "heif-convert photo.heic photo.jpg")},
    {IMAGE_SIGN("????ftyphei?"), NOT_READ("a HEIC picture", "heif-convert photo.heic photo.jpg")},
    {IMAGE_SIGN("????ftypm?f1"), NOT_READ("a HEIF picture", "heif-convert photo.heic photo.jpg")},
    {IMAGE_SIGN("????ftypavi?"), NOT_READ("an AVIF picture", "heif-convert photo.avif photo.png")},
    {IMAGE_SIGN("\xff\x0a"), NOT_READ("a JPEG XL picture", "djxl photo.jxl photo.png")},
    {IMAGE_SIGN("\0\0\0\x0cJXL "), NOT_READ("a JPEG XL picture", "djxl photo.jxl photo.png")},
    {IMAGE_SIGN("\0\0\0\x0cjP  "),
     NOT_READ("a JPEG 2000 picture", "opj_decompress -i photo.jp2 -o photo.png")},
    {IMAGE_SIGN("\xff\x4f\xff\x51"),
     NOT_READ("a JPEG 2000 picture", "opj_decompress -i photo.j2k -o photo.png")},
    {IMAGE_SIGN("GIF8"), NOT_READ("a GIF picture", "convert 'photo.gif[0]' photo.png")},
    {IMAGE_SIGN("BM????\0\0\0\0"), NOT_READ("a BMP picture", "convert photo.bmp photo.png")},
    {IMAGE_SIGN("8BPS"), NOT_READ("a Photoshop document", "convert 'photo.psd[0]' photo.png")},
    {IMAGE_SIGN("gimp xcf"), NOT_READ("a GIMP document", "convert -flatten photo.xcf photo.png")},
    {IMAGE_SIGN("P4\n"), NOT_READ("a PBM picture", "convert photo.pbm photo.png")},
    {IMAGE_SIGN("P5\n"), NOT_READ("a PGM picture", "convert photo.pgm photo.png")},
    {IMAGE_SIGN("P6\n"), NOT_READ("a PPM picture", "convert photo.ppm photo.png")},
    {IMAGE_SIGN("%PDF-"), NOT_READ("a PDF document", "pdftoppm -png -r 300 scan.pdf page")},
    {IMAGE_SIGN("%!PS"), NOT_READ("a PostScript document", "convert -density 300 scan.ps page.png")},
    {IMAGE_SIGN("<svg"), NOT_READ("an SVG drawing", "rsvg-convert -o drawing.png drawing.svg")},
    {IMAGE_SIGN("IIRO"), NOT_READ("a camera's raw picture", "dcraw -T photo.orf")},
    {IMAGE_SIGN("IIU\0"), NOT_READ("a camera's raw picture", "dcraw -T photo.rw2")},
    {IMAGE_SIGN("FUJIFILMCCD-"), NOT_READ("a camera's raw picture", "dcraw -T photo.raf")},
    {IMAGE_SIGN("<!DOCTYPE"), "a web page; expected the picture itself"},
    {IMAGE_SIGN("<html"), "a web page; expected the picture itself"},
};

const char *image_foreign(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (image_begins(bytes, size, known[i].sign)) return known[i].sentence;
    return size == 0 ? "is empty; expected a picture" : "not a PNG, JPEG, WebP or TIFF picture";
}
