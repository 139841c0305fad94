"""Run by Blender outside of any sandbox, to make a .blend file that a stranger might send. Usage: … -- FILE"""

import os
import sys

import bpy

target = sys.argv[sys.argv.index("--") + 1]
folder = os.path.dirname(target)
SHOUT = "__import__('sys').stderr.write('ESC' + 'APED by {}\\n')"

cube = bpy.data.objects["Cube"]
driver = cube.driver_add("location", 0).driver
driver.type = "SCRIPTED"
driver.expression = SHOUT.format("a driver")

text = bpy.data.texts.new("start.py")
text.write(SHOUT.format("a text that registers") + "\n")
text.use_module = True

# A library beside the file, which nobody will find inside.
bpy.ops.mesh.primitive_uv_sphere_add()
bpy.context.active_object.name = "FromElsewhere"
library = os.path.join(folder, "library.blend")
bpy.data.libraries.write(library, {bpy.context.active_object})
bpy.data.objects.remove(bpy.context.active_object)
with bpy.data.libraries.load(library, link=True) as (source, wanted):
    wanted.objects = ["FromElsewhere"]
bpy.context.scene.collection.objects.link(bpy.data.objects["FromElsewhere"])

image = bpy.data.images.new("i", 4, 4)
image.source = "FILE"
image.filepath = "/etc/passwd"
material = cube.active_material
material.use_nodes = True
nodes = material.node_tree.nodes
picture = nodes.new("ShaderNodeTexImage")
picture.image = image
material.node_tree.links.new(picture.outputs[0], nodes["Principled BSDF"].inputs["Base Color"])
script = nodes.new("ShaderNodeScript")
script.mode = "EXTERNAL"
script.filepath = "/etc/passwd"

scene = bpy.context.scene
scene.use_nodes = True
output = scene.node_tree.nodes.new("CompositorNodeOutputFile")
output.base_path = "/tmp/dpu-escape"
scene.node_tree.links.new(scene.node_tree.nodes["Render Layers"].outputs[0], output.inputs[0])
scene.render.filepath = "/tmp/dpu-escape-result"
scene.render.use_compositing = True
scene.cycles.shading_system = True
scene.cycles.samples = 1_000_000
scene.render.resolution_x = scene.render.resolution_y = 30_000
bpy.ops.wm.save_as_mainfile(filepath=target, compress=len(sys.argv) % 2 == 0)
