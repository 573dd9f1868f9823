// text.js - all that the page says, by language. An element with data-text="KEY" shows that text. Another language is one
// more table; what it lacks is said in English.

export const TEXTS = {
  en: {
    name: "English", language: "Language",
    colorize: "Colorize", denoise: "Denoise", train: "Train", defects: "Find defects",
    private: "Everything runs on this computer: nothing is uploaded, and the page works offline.",
    bitsSame: "Results have the same bits as the caelum program's.",
    bitsOther: "This browser rounds products before it adds: results differ from the caelum program's in their last bits.",
    loading: "Starting …", failed: "That failed: {0}", unsupported: "This browser can't run the page: {0}",
    colorizeLead: "Colors grey photographs.",
    openPictures: "Open pictures …", example: "Try an example", openMore: "Open more …",
    dropHint: "Or drop them here, or paste one.",
    compare: "Grey on the left, color on the right",
    vivid: "Vivid", restore: "Bring back faded contrast",
    hints: "Do you know a color?",
    hintsHelp: "Choose it, then click where it belongs. Hints can be moved; Delete takes one away.",
    color: "Color", dropper: "Take from the picture", addHint: "Hint in the middle", undo: "Undo",
    palette: "Colors", hintAt: "Hint {0}: arrow keys move it, Delete takes it away",
    format: "Format", save: "Save", saveAll: "Save all",
    coloring: "Coloring {0} …", colored: "{0}: colored in {1} s", saving: "Saving {0} …", saved: "Saved: {0}",
    notPicture: "{0} is no picture that this browser can read", picture: "Picture {0}: {1}", pasted: "pasted picture",
    denoiseLead: "Takes the noise out of pictures.", compareNoise: "Noisy on the left, clean on the right",
    strength: "Strength", noise: "Noise (of 255)", measure: "Measure it",
    loupe: "Loupe", zoom: "Enlarged", loupeHelp: "Above as it was, below as it is now. Click the picture, or move the point "
      + "with the arrow keys.", loupeLabel: "A part of the picture, before above after",
    loupePlace: "Place of the loupe: arrow keys move it",
    denoising: "{0}: {1} % done", denoised: "{0}: noise taken out in {1} s",
    network: "Network", preset: "Start from", openFile: "Open …", networkText: "Text of the network",
    networkFine: "{0} parameters; {1} of {2} numbers of a picture pass the narrowest place.",
    drawing: "Drawing of the network", input: "input", layerTable: "Layers as a table", layer: "Layer", size: "Output",
    parameters: "Parameters",
    drawingLabel: "{0} layers, {1} parameters; {2} numbers at the narrowest place",
    data: "Pictures", source: "From", generated: "generated", ownFiles: "files", count: "How many",
    filesHelp: "Pictures, at least ten, or CIFAR-10's binary files or archive. Drop them here or open them.",
    openFiles: "Open files …", dataCounts: "{0} to train on, {1} to validate by, {2} left over; 32×32 pixels",
    dataSkipped: "{0} could not be read, the first: {1}",
    tooFew: "too few pictures; at least 10 are needed", reading: "Reading {0} files …", generating: "Generating …",
    training: "Training", epochs: "Epochs", batch: "Batch", lr: "Step size", optimizer: "Optimizer",
    start: "Train", pause: "Pause", goOn: "Go on", step: "One step", restart: "From the start",
    saveModel: "Save the model", curve: "Curve", chart: "Loss by epoch",
    curveHelp: "Loss by epoch; thin: while training, thick: pictures that are not trained on.",
    chartLabel: "Validation loss after {0} epochs: {1}", epochsAxis: "{0} epochs",
    reconstructions: "Pictures above what the network makes of them", epochShown: "Epoch {0}",
    linearHelp: "Third: what the best linear code of 8×8 pixels, the KLT, keeps in as many numbers.",
    codeLegend: "Change a code by hand", codeHelp: "Each slider moves the numbers of one channel of the code, up to four times "
      + "their spread. Left the picture, right what the network makes of the code.",
    codePicture: "Picture", codeZero: "As it was", codeChannel: "Channel {0}", decoded: "The picture, and what its code becomes",
    codes: "Below: the code, each number a square, black to white.", fromModel: "Starts from the weights of {0}.",
    progress: "Epoch {0} of {1}, batch {2} of {3}, loss {4}",
    defectsLead: "Says which pictures of parts are bad, and where.",
    defectsHelp: "Learns from pictures of good parts, here or in the program, which is faster:",
    openGood: "Open good pictures …", steps: "Steps", alarmRate: "False alarms, %",
    goods: "{0} good pictures. 50 make a beginning; a rate of {1} % takes {2} that are not trained on.",
    learnHelp: "A step is 32 crops of the pictures for each of two networks; the program takes 4,000. Other tabs can be used meanwhile.",
    readingGood: "Reading {0} of {1} …", measuringGood: "Looking at {0} of {1} good pictures …", stop: "Stop", back: "Back",
    foundPart: "{0} %", finding: "{0} %, about {1} min left", learned: "Trained in {0} min", tooFewGood: "two good pictures are needed at least",
    openModel: "Open a model …", otherModel: "Another model …",
    aboutModel: "{0}: knows the scores of {1} good pictures it was not trained on.",
    rate: "{0} pictures/s", falseAlarms: "False alarms: {0} % of good pictures may be called bad",
    judging: "Looking at {0} …", judged: "{0} of {1} pictures are bad.", bad: "bad", good: "good",
    rank: "{0} % of good pictures look this bad or worse",
    heatLabel: "{0}: {1}; yellow to red where it differs from good parts",
    runs: "Runs", noRuns: "There are no runs yet: caelum train makes one.", openStudy: "Open the study's page",
    runFigures: "Epoch {0}: validation loss {1}, {2} dB; {3} pictures/s",
    serverGone: "caelum serve does not answer any more; what is shown is the last that it said.",
    trained: "Done: {0} epochs, validation {1} dB", noClassifiers: "The page trains no classifiers; the program does.",
  },
  de: {
    name: "Deutsch", language: "Sprache",
    colorize: "Kolorieren", denoise: "Entrauschen", train: "Trainieren", defects: "Fehler finden",
    private: "Alles läuft auf diesem Rechner: Nichts wird hochgeladen, und die Seite geht auch ohne Netz.",
    bitsSame: "Ergebnisse sind Bit für Bit die des Programms caelum.",
    bitsOther: "Dieser Browser rundet Produkte vor dem Addieren: Ergebnisse weichen in den letzten Bits vom Programm caelum ab.",
    loading: "Startet …", failed: "Das ging nicht: {0}", unsupported: "Dieser Browser kann die Seite nicht ausführen: {0}",
    colorizeLead: "Gibt grauen Fotos Farbe.",
    openPictures: "Bilder öffnen …", example: "Beispiel ansehen", openMore: "Weitere öffnen …",
    dropHint: "Oder hierher ziehen, oder eines einfügen.",
    compare: "Links grau, rechts farbig",
    vivid: "Kräftig", restore: "Verblassten Kontrast zurückholen",
    hints: "Eine Farbe ist bekannt?",
    hintsHelp: "Auswählen und an ihre Stelle klicken. Hinweise lassen sich verschieben; Entf nimmt einen weg.",
    color: "Farbe", dropper: "Aus dem Bild nehmen", addHint: "Hinweis in die Mitte", undo: "Rückgängig",
    palette: "Farben", hintAt: "Hinweis {0}: Pfeiltasten verschieben ihn, Entf nimmt ihn weg",
    format: "Format", save: "Speichern", saveAll: "Alle speichern",
    coloring: "{0} wird koloriert …", colored: "{0}: in {1} s koloriert", saving: "{0} wird gespeichert …",
    saved: "Gespeichert: {0}",
    notPicture: "{0} ist kein Bild, das dieser Browser lesen kann", picture: "Bild {0}: {1}", pasted: "eingefügtes Bild",
    denoiseLead: "Nimmt das Rauschen aus Bildern.", compareNoise: "Links verrauscht, rechts sauber",
    strength: "Stärke", noise: "Rauschen (von 255)", measure: "Messen",
    loupe: "Lupe", zoom: "Vergrößert", loupeHelp: "Oben wie es war, unten wie es jetzt ist. Ins Bild klicken oder den Punkt mit "
      + "den Pfeiltasten verschieben.", loupeLabel: "Ein Teil des Bildes, vorher über nachher",
    loupePlace: "Ort der Lupe: Pfeiltasten verschieben ihn",
    denoising: "{0}: {1} % fertig", denoised: "{0}: in {1} s entrauscht",
    network: "Netz", preset: "Ausgehen von", openFile: "Öffnen …", networkText: "Text des Netzes",
    networkFine: "{0} Parameter; {1} von {2} Zahlen eines Bildes passen durch die engste Stelle.",
    drawing: "Zeichnung des Netzes", input: "Eingabe", layerTable: "Schichten als Tabelle", layer: "Schicht",
    size: "Ausgabe", parameters: "Parameter",
    drawingLabel: "{0} Schichten, {1} Parameter; {2} Zahlen an der engsten Stelle",
    data: "Bilder", source: "Quelle", generated: "erzeugt", ownFiles: "Dateien", count: "Wie viele",
    filesHelp: "Bilder, mindestens zehn, oder CIFAR-10 als Binärdateien oder Archiv. Hierher ziehen oder öffnen.",
    openFiles: "Dateien öffnen …", dataCounts: "{0} zum Trainieren, {1} zum Validieren, {2} übrig; 32×32 Pixel",
    dataSkipped: "{0} waren nicht lesbar, die erste: {1}",
    tooFew: "zu wenige Bilder; mindestens 10 sind nötig", reading: "{0} Dateien werden gelesen …",
    generating: "Bilder werden erzeugt …",
    training: "Training", epochs: "Epochen", batch: "Stapel", lr: "Schrittweite", optimizer: "Verfahren",
    start: "Trainieren", pause: "Anhalten", goOn: "Weiter", step: "Ein Schritt", restart: "Von vorn",
    saveModel: "Modell speichern", curve: "Verlauf", chart: "Fehler nach Epoche",
    curveHelp: "Fehler nach Epoche; dünn: beim Trainieren, dick: Bilder, auf denen nicht trainiert wird.",
    chartLabel: "Validierungsfehler nach {0} Epochen: {1}", epochsAxis: "{0} Epochen",
    reconstructions: "Bilder, darunter was das Netz daraus macht", epochShown: "Epoche {0}",
    linearHelp: "Als drittes: was der beste lineare Code von 8×8 Pixeln, die KLT, in ebenso vielen Zahlen behält.",
    codeLegend: "Einen Code von Hand ändern", codeHelp: "Jeder Regler verschiebt die Zahlen eines Kanals des Codes, bis zum "
      + "Vierfachen ihrer Streuung. Links das Bild, rechts was das Netz aus dem Code macht.",
    codePicture: "Bild", codeZero: "Wie er war", codeChannel: "Kanal {0}", decoded: "Das Bild, und was aus seinem Code wird",
    codes: "Zuunterst: der Code, jede Zahl ein Quadrat, schwarz bis weiß.", fromModel: "Beginnt mit den Gewichten von {0}.",
    progress: "Epoche {0} von {1}, Stapel {2} von {3}, Fehler {4}",
    defectsLead: "Sagt, welche Bilder von Teilen schlecht sind, und wo.",
    defectsHelp: "Lernt von Bildern guter Teile, hier oder schneller im Programm:",
    openGood: "Gute Bilder öffnen …", steps: "Schritte", alarmRate: "Fehlalarme in %",
    goods: "{0} gute Bilder. 50 sind ein Anfang; für {1} % braucht es {2}, auf denen nicht trainiert wird.",
    learnHelp: "Ein Schritt ist 32 Ausschnitte der Bilder für jedes von zwei Netzen; das Programm macht 4000. Die anderen "
      + "Seiten gehen derweil weiter.",
    readingGood: "Liest {0} von {1} …", measuringGood: "Sieht gute Bilder an, {0} von {1} …", stop: "Anhalten", back: "Zurück",
    foundPart: "{0} %", finding: "{0} %, noch etwa {1} min", learned: "In {0} min trainiert", tooFewGood: "mindestens zwei gute Bilder werden gebraucht",
    openModel: "Modell öffnen …", otherModel: "Anderes Modell …",
    aboutModel: "{0}: kennt die Werte von {1} guten Bildern, auf denen es nicht trainiert wurde.",
    rate: "{0} Bilder/s", falseAlarms: "Fehlalarme: {0} % der guten Bilder dürfen schlecht heißen",
    judging: "{0} wird angesehen …", judged: "{0} von {1} Bildern sind schlecht.", bad: "schlecht", good: "gut",
    rank: "{0} % der guten Bilder sehen so schlecht oder schlechter aus",
    heatLabel: "{0}: {1}; gelb bis rot, wo es von guten Teilen abweicht",
    runs: "Läufe", noRuns: "Noch sind keine Läufe da: caelum train macht einen.", openStudy: "Die Seite der Studie öffnen",
    runFigures: "Epoche {0}: Validierungsfehler {1}, {2} dB; {3} Bilder/s",
    serverGone: "caelum serve antwortet nicht mehr; zu sehen ist, was zuletzt kam.",
    trained: "Fertig: {0} Epochen, Validierung {1} dB",
    noClassifiers: "Die Seite trainiert keine Klassifikatoren; das Programm schon.",
  },
};

let language = "en";

// The text of a key, its {0}, {1} ... filled in.
export function text(key, ...values) {
  const template = TEXTS[language][key] ?? TEXTS.en[key] ?? key;
  return template.replace(/\{(\d)\}/g, (_, i) => values[i] ?? "");
}

export function formatNumber(value, digits = 0) {
  return value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function showTexts() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]"))
    element.setAttribute("aria-label", text(element.dataset.label));
}

// Fills the choice of languages, and shows the browser's; calls `changed` after each change.
export function openLanguages(select, changed) {
  for (const [code, { name }] of Object.entries(TEXTS)) select.add(new Option(name, code));
  const wanted = (navigator.languages ?? ["en"]).map((code) => code.slice(0, 2));
  language = select.value = wanted.find((code) => code in TEXTS) ?? "en";
  select.addEventListener("change", () => {
    language = select.value;
    showTexts();
    changed();
  });
  showTexts();
}
