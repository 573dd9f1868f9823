"""A printed label."""
import numpy
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from drawing import noise, paint, rectangle


def print_of_label():
    """Ink of 0 to 1 at 4 times the size: text, a frame, a bar code."""
    canvas = Image.new("L", (4 * 176, 4 * 120))
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((20, 20, 4 * 176 - 21, 4 * 120 - 21), outline=255, width=8)
    for row, height, words in ((44, 72, "CAELUM No 8"), (142, 34, "Net weight 250 g"), (190, 34, "Store cool and dry."),
                               (238, 34, "Lot 1704-C  Best before 06")):
        write(canvas, (44, row), height, words)
    at = 44
    for wide in numpy.random.default_rng(8).integers(1, 5, 46):
        draw.rectangle((at, 310, at + 3 * wide - 1, 430), fill=255)
        at += 3 * wide + 6
    return numpy.asarray(canvas.filter(ImageFilter.GaussianBlur(2))) / 255


def write(canvas, place, height, words):
    """In DejaVu Sans; where it is not installed, in Pillow's own letters, made larger."""
    try:
        font = ImageFont.truetype("DejaVuSans-Bold.ttf", height)
        ImageDraw.Draw(canvas).text(place, words, 255, font)
    except OSError:
        font = ImageFont.load_default()
        box = font.getbbox(words)
        small = Image.new("L", box[2:])
        ImageDraw.Draw(small).text((0, 0), words, 255, font)
        large = small.resize((round(box[2] * height / box[3]), height), Image.BICUBIC)
        canvas.paste(large, place)


INK = print_of_label()


def label(u, v, rng):
    """Printed paper."""
    outline = rectangle(u, v, 88, 60, 4)
    paper = numpy.array((226., 222, 206)) + 2 * noise(u.shape, 2, rng)[..., None]
    slip = rng.normal(0, .7, 2)  # of the paper in the press
    column, row = (numpy.clip(4 * (a + half + s), 0, 4 * 2 * half - 1).astype(int)
                   for a, half, s in ((u, 88, slip[0]), (v, 60, slip[1])))
    return outline, paint(paper, .9 * INK[row, column], (28, 34, 66))
