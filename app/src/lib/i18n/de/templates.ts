/** German sentences of templates and their options, by their English ones. */
export const templates: Readonly<Record<string, string>> = {
  pixels: 'Pixeln',
  'Render a 3D scene': '3D-Szene rendern',
  'Render with Blender': 'Mit Blender rendern',
  'Run a container': 'Container ausführen',
  'Run a GPU kernel': 'GPU-Kernel ausführen',
  'Run a model on data': 'Modell auf Daten anwenden',
  'Train a classifier and use it': 'Klassifikator trainieren und anwenden',
  'Train a classifier': 'Klassifikator trainieren',
  'Transcode a video': 'Video umwandeln',
  'Run a WebAssembly module': 'WebAssembly-Modul ausführen',
  'Path-traces an OBJ scene in tiles and assembles them into one PNG image.':
    'Rendert eine OBJ-Szene mit Path Tracing in Kacheln und setzt sie zu einem PNG-Bild zusammen.',
  'A triangle mesh in Wavefront OBJ format. Without one a built-in scene is rendered.':
    'Ein Dreiecksgitter im Wavefront-OBJ-Format. Ohne Datei wird eine eingebaute Szene gerendert.',
  'The materials of the mesh. Without it the mesh gets a pleasing set of its own.':
    'Die Materialien des Gitters. Ohne Datei bekommt es eine gefällige Auswahl.',
  Width: 'Breite',
  'Width of the image, in pixels': 'Breite des Bildes in Pixeln',
  Height: 'Höhe',
  'Height of the image, in pixels': 'Höhe des Bildes in Pixeln',
  'Width of a tile; one tile is one shard, in pixels': 'Breite einer Kachel in Pixeln; eine Kachel ist ein Teil',
  'Tile height': 'Kachelhöhe',
  'Height of a tile, in pixels': 'Höhe einer Kachel in Pixeln',
  Samples: 'Abtastungen',
  'Paths per pixel: twice as many make a calmer image': 'Pfade je Pixel: doppelt so viele geben ein ruhigeres Bild',
  Bounces: 'Spiegelungen',
  'How often light may bounce between surfaces': 'Wie oft Licht zwischen Flächen hin- und hergehen darf',
  Seed: 'Startwert',
  'Chooses the noise; the same seed gives the same image': 'Bestimmt das Rauschen; gleicher Startwert, gleiches Bild',
  Ground: 'Boden',
  'Whether the scene stands on an endless floor': 'Ob die Szene auf einem endlosen Boden steht',
  'Draws a fractal with a WGSL kernel, tile by tile, or runs a kernel of your own.':
    'Zeichnet mit einem WGSL-Kernel Kachel für Kachel ein Fraktal, oder führt deinen eigenen Kernel aus.',
  'A kernel of your own. Without one a fractal is drawn.':
    'Dein eigener Kernel. Ohne Datei wird ein Fraktal gezeichnet.',
  'Its shards, arguments, buffers and passes: docs/jobs.md says what they are.':
    'Seine Teile, Argumente, Puffer und Durchläufe: docs/jobs.md erklärt sie.',
  'What its buffers may begin with, as the input data.bin.':
    'Womit seine Puffer beginnen können, als Eingabe data.bin.',
  'Width of a tile, a part of the width; one tile is one shard':
    'Breite einer Kachel, ein Bruchteil der Breite; eine Kachel ist ein Teil',
  'Height of a tile, a part of the height': 'Höhe einer Kachel, ein Bruchteil der Höhe',
  'Where to look, across, in millionths': 'Wohin der Blick geht, waagerecht, in Millionsteln',
  'Where to look, upwards, in millionths': 'Wohin der Blick geht, senkrecht, in Millionsteln',
  Span: 'Ausschnitt',
  'How much of the plane the width covers, in millionths': 'Wie viel der Ebene die Breite abdeckt, in Millionsteln',
  Iterations: 'Iterationen',
  'Turns after which a point counts as inside': 'Schritte, nach denen ein Punkt als innen gilt',
  Smoothness: 'Glättung',
  'Samples of a pixel in each direction': 'Abtastungen je Pixel in jede Richtung',
  'Scores every item of a data set with an ONNX model and shows which classes it takes for which.':
    'Bewertet jeden Eintrag eines Datensatzes mit einem ONNX-Modell und zeigt, welche Klassen es womit verwechselt.',
  'A model with one input and one output of scores. Without one a classifier of drawn digits is run.':
    'Ein Modell mit einer Eingabe und einer Ausgabe von Werten. Ohne Datei läuft ein Klassifikator für gezeichnete Ziffern.',
  "The model's inputs: the numbers of one item after the other, little-endian, of the type that it takes.":
    'Die Eingaben des Modells: die Zahlen eines Eintrags nach dem anderen, Little-Endian, im Typ, den es nimmt.',
  'The right class of each item, one byte each. With it a second job makes a confusion matrix.':
    'Die richtige Klasse jedes Eintrags, je ein Byte. Damit macht ein zweiter Auftrag eine Konfusionsmatrix.',
  'Pieces of work: each scores its share of the items': 'Arbeitsstücke: Jedes bewertet seinen Anteil der Einträge',
  Batch: 'Stapel',
  'Items of one run of the model': 'Einträge je Durchlauf des Modells',
  Optimization: 'Optimierung',
  'What ONNX Runtime may do to the graph before it runs': 'Was ONNX Runtime vor dem Start am Graphen ändern darf',
  disabled: 'keine',
  basic: 'einfach',
  Compare: 'Vergleich',
  'When two results are the same: by the best class, by every number, or by every bit':
    'Wann zwei Ergebnisse gleich sind: nach der besten Klasse, nach jeder Zahl oder nach jedem Bit',
  topk: 'beste Klasse',
  Report: 'Bericht',
  'The confusion matrix as a PNG or as a CSV table': 'Die Konfusionsmatrix als PNG oder als CSV-Tabelle',
  table: 'Tabelle',
  'Trains a small network on labelled images in parallel rounds and exports it as an ONNX model.':
    'Trainiert ein kleines Modell in parallelen Runden auf beschrifteten Bildern und exportiert es als ONNX-Modell.',
  'Images to learn from, in the IDX format of MNIST.': 'Bilder zum Lernen, im IDX-Format von MNIST.',
  'What each of them shows, one byte each.': 'Was jedes davon zeigt, je ein Byte.',
  'Images that the network is tested on. It does not learn from them.':
    'Bilder, an denen das Modell geprüft wird. Aus ihnen lernt es nicht.',
  'What each of those shows.': 'Was jedes davon zeigt.',
  Rounds: 'Runden',
  'How often the shards train and are averaged; two jobs each':
    'Wie oft die Teile trainieren und gemittelt werden; je zwei Aufträge',
  'Parts of the images that are trained on side by side': 'Anteile der Bilder, auf denen nebeneinander trainiert wird',
  Epochs: 'Epochen',
  'How often a shard goes through its images in a round': 'Wie oft ein Teil in einer Runde seine Bilder durchgeht',
  'Neurons of the hidden layer, a multiple of 4': 'Neuronen der verborgenen Schicht, ein Vielfaches von 4',
  'Learning rate in thousandths: larger learns faster, too large diverges':
    'Lernrate in Tausendsteln: größer lernt schneller, zu groß läuft davon',
  'Images between two steps': 'Bilder zwischen zwei Schritten',
  Classes: 'Klassen',
  'Kinds of images: labels are below this': 'Arten von Bildern: Beschriftungen liegen darunter',
  Device: 'Gerät',
  'Who runs the model: processors, or graphics cards by WebGPU, whose last digits differ more':
    'Wer das Modell ausführt: Prozessoren oder über WebGPU Grafikkarten, deren letzte Stellen stärker abweichen',
  'Who trains: processors, or GPUs, which train in whole numbers':
    'Wer trainiert: Prozessoren, oder GPUs, die in ganzen Zahlen trainieren',
  cpu: 'CPU',
  gpu: 'GPU',
  Numbers: 'Zahlen',
  'What processors train in: floats, or the whole numbers that GPUs train in':
    'Worin Prozessoren trainieren: in Gleitkommazahlen oder in den ganzen Zahlen der GPUs',
  float: 'Gleitkomma',
  fixed: 'ganze Zahlen',
  'Chooses the first weights and the order of the images':
    'Bestimmt die ersten Gewichte und die Reihenfolge der Bilder',
  'Trains a network in rounds, then runs the model on images that it has not seen and shows its mistakes.':
    'Trainiert ein Modell in Runden, wendet es dann auf ungesehene Bilder an und zeigt seine Fehler.',
  Scorers: 'Bewerter',
  'Parts of the unseen images that are classified side by side':
    'Anteile der ungesehenen Bilder, die nebeneinander klassifiziert werden',
  'Encodes parts of a clip side by side and joins them to one MP4 file.':
    'Kodiert Abschnitte eines Clips nebeneinander und fügt sie zu einer MP4-Datei zusammen.',
  'A clip: MP4, MOV, Matroska, WebM, AVI, MPEG-TS or Y4M. Without one ours is drawn. Sound is left out.':
    'Ein Clip: MP4, MOV, Matroska, WebM, AVI, MPEG-TS oder Y4M. Ohne Datei wird unserer gezeichnet. Der Ton entfällt.',
  Codec: 'Codec',
  'Format: h264 plays everywhere, av1 is smallest and slowest':
    'Format: h264 läuft überall, av1 ist am kleinsten und langsamsten',
  h264: 'H.264',
  vp9: 'VP9',
  av1: 'AV1',
  'Width of the result, in pixels': 'Breite des Ergebnisses in Pixeln',
  'Height of the result, in pixels': 'Höhe des Ergebnisses in Pixeln',
  'Frames a second of the result': 'Bilder je Sekunde im Ergebnis',
  Quality: 'Qualität',
  'Constant rate factor: 1 is the finest; h264 has 51 at most, others 63':
    'Konstanter Ratenfaktor: 1 ist am feinsten; h264 geht bis 51, andere bis 63',
  Milliseconds: 'Millisekunden',
  'How much of the clip; 0 takes as much as it says it has': 'Wie viel vom Clip; 0 nimmt so viel, wie er angibt',
  'Parts that are encoded side by side': 'Abschnitte, die nebeneinander kodiert werden',
  Exact: 'Exakt',
  'Whether nodes must agree byte for byte: only when all have the same build':
    'Ob Knoten Byte für Byte übereinstimmen müssen: nur, wenn alle dieselbe Fassung haben',
  'Runs a WASI module of yours on every shard, with the same bits on every machine.':
    'Führt dein WASI-Modul auf jedem Teil aus, mit denselben Bits auf jeder Maschine.',
  'A WASI module. It is needed.': 'Ein WASI-Modul. Es ist nötig.',
  'What every shard finds at /in/data.bin.': 'Was jeder Teil unter /in/data.bin findet.',
  'How often it runs; each run is told its number and how many there are':
    'Wie oft es läuft; jeder Lauf erfährt seine Nummer und die Gesamtzahl',
  'Words that follow the two numbers, with spaces between them':
    'Wörter, die den beiden Zahlen folgen, durch Leerzeichen getrennt',
  'Name of the file that a shard makes; its ending says what it is':
    'Name der Datei, die ein Teil erzeugt; die Endung sagt, was sie ist',
  Units: 'Einheiten',
  'Most compute units of a shard: a unit is a million operations':
    'Recheneinheiten eines Teils höchstens: Eine Einheit sind eine Million Operationen',
  'Most memory of a shard, in MiB': 'Arbeitsspeicher eines Teils höchstens, in MiB',
  'Largest output of a shard, in MiB': 'Größte Ausgabe eines Teils, in MiB',
  Seconds: 'Sekunden',
  'Longest time of a shard on a slow machine': 'Längste Zeit eines Teils auf einer langsamen Maschine',
  'Runs an image of yours without a network, or one of ours that draws a fractal.':
    'Führt dein Image ohne Netzwerk aus, oder eines von uns, das ein Fraktal zeichnet.',
  'An image as docker save or podman save writes it. Without one ours draws a fractal.':
    'Ein Image, wie docker save oder podman save es schreibt. Ohne Datei zeichnet unseres ein Fraktal.',
  'The image’s id, the command and the limits: docs/jobs.md says what they are.':
    'Kennung des Images, Befehl und Grenzen: docs/jobs.md erklärt sie.',
  'What it finds at /in/data.bin.': 'Was es unter /in/data.bin findet.',
  'Width of the picture': 'Breite des Bildes',
  'Height of the picture, in pixels': 'Höhe des Bildes in Pixeln',
  'Strips of the picture, each a container': 'Streifen des Bildes, jeder ein Container',
  'Renders a .blend file, or a scene of ours, by Cycles in tiles on nodes that have Blender.':
    'Rendert eine .blend-Datei oder eine Szene von uns mit Cycles in Kacheln auf Knoten, die Blender haben.',
  'A scene for Blender with everything packed into it. Its scripts do not run. Without one ours is built.':
    'Eine Blender-Szene, in die alles gepackt ist. Ihre Skripte laufen nicht. Ohne Datei wird unsere gebaut.',
  'Width of a tile, in pixels; one tile is one shard': 'Breite einer Kachel in Pixeln; eine Kachel ist ein Teil',
  'Paths of each pixel: more is slower and less noisy': 'Pfade je Pixel: mehr ist langsamer und rauscht weniger',
  'How often a path may turn': 'Wie oft ein Pfad abbiegen darf',
  Frame: 'Bild',
  'Which frame of an animation': 'Welches Bild einer Animation',
  'Chooses the paths': 'Bestimmt die Pfade',
};
