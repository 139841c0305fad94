"""Runs inside Blender, in the sandbox: opens or builds the scene, takes away what a render does not need, renders one tile.

Usage: blender --background --factory-startup --disable-autoexec --python render.py -- FOLDER
FOLDER has job.json (what to render), scene.blend or scene.json, and result.png, an empty file to write to.
"""

import json
import math
import os
import sys

import bpy
from mathutils import Vector

FOLDER = sys.argv[sys.argv.index("--") + 1]


def path(name):
    return os.path.join(FOLDER, name)


def aim(thing, start, end):
    thing.location = start
    thing.rotation_euler = (Vector(end) - Vector(start)).to_track_quat("-Z", "Y").to_euler()


def add(data, name):
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def material_of(words):
    material = bpy.data.materials.new("m")
    material.use_nodes = True
    inputs = material.node_tree.nodes["Principled BSDF"].inputs

    def put(names, value):
        # Later versions call some of them otherwise.
        for name in names:
            if name in inputs:
                inputs[name].default_value = value
                return

    put(["Base Color"], (*words["colour"], 1))
    put(["Roughness"], words["roughness"])
    put(["Metallic"], words["metallic"])
    put(["Transmission", "Transmission Weight"], words["transmission"])
    put(["Emission", "Emission Color"], (*words["colour"], 1))
    put(["Emission Strength"], words["glow"])
    return material


def mesh_of(shape):
    make = {
        "sphere": lambda: bpy.ops.mesh.primitive_uv_sphere_add(segments=96, ring_count=48),
        "cube": lambda: bpy.ops.mesh.primitive_cube_add(),
        "plane": lambda: bpy.ops.mesh.primitive_plane_add(),
        "torus": lambda: bpy.ops.mesh.primitive_torus_add(major_segments=128, minor_segments=48),
        "cylinder": lambda: bpy.ops.mesh.primitive_cylinder_add(vertices=96),
        "cone": lambda: bpy.ops.mesh.primitive_cone_add(vertices=96),
        "monkey": lambda: bpy.ops.mesh.primitive_monkey_add(),
    }
    make[shape]()
    thing = bpy.context.active_object
    mesh = thing.data
    bpy.data.objects.remove(thing)
    return mesh


def build(words):
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    scene = bpy.context.scene
    meshes = {}
    materials = [material_of(one) for one in words["materials"]]
    for one in words["objects"]:
        key = (one["shape"], one["smooth"], one["material"])
        if key not in meshes:
            mesh = mesh_of(one["shape"])
            mesh.materials.append(materials[one["material"]])
            mesh.polygons.foreach_set("use_smooth", [one["smooth"]] * len(mesh.polygons))
            meshes[key] = mesh
        thing = add(meshes[key], "o")
        thing.location = one["at"]
        thing.scale = one["scale"]
        thing.rotation_euler = [math.radians(angle) for angle in one["turn"]]
    for one in words["lights"]:
        light = bpy.data.lights.new("l", one["kind"].upper())
        light.energy = one["power"]
        light.color = one["colour"]
        if one["kind"] == "area":
            light.size = one["size"]
        elif one["kind"] == "sun":
            light.angle = math.radians(min(one["size"], 180))
        else:
            light.shadow_soft_size = one["size"]
        aim(add(light, "l"), one["from"], one["to"])
    camera = bpy.data.cameras.new("c")
    camera.lens = words["camera"]["lens"]
    scene.camera = add(camera, "c")
    aim(scene.camera, words["camera"]["from"], words["camera"]["to"])
    world = bpy.data.worlds.new("w")
    world.use_nodes = True
    sky = world.node_tree.nodes["Background"].inputs
    sky[0].default_value = (*words["sky"]["colour"], 1)
    sky[1].default_value = words["sky"]["strength"]
    scene.world = world


def settle(scene, job):
    """What could run code, read or write elsewhere, or differ from node to node."""
    scene.render.engine = "CYCLES"
    render, cycles, tile = scene.render, scene.cycles, job["tile"]
    cycles.device = "CPU"
    cycles.shading_system = False
    cycles.feature_set = "SUPPORTED"
    cycles.samples = job["samples"]
    cycles.seed = job["seed"]
    cycles.use_animated_seed = False
    cycles.use_adaptive_sampling = False
    cycles.use_denoising = False
    cycles.time_limit = 0
    cycles.use_auto_tile = False
    if job["bounces"] is not None:
        cycles.max_bounces = job["bounces"]
    scene.use_nodes = False
    render.use_compositing = False
    render.use_sequencer = False
    render.use_stamp = False
    render.use_multiview = False
    render.use_persistent_data = False
    render.use_file_extension = False
    render.use_overwrite = True
    render.use_placeholder = False
    render.threads_mode = "FIXED"
    render.threads = job["threads"]
    render.resolution_x, render.resolution_y = job["width"], job["height"]
    render.resolution_percentage = 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1
    render.use_border = render.use_crop_to_border = True
    # Blender counts from the bottom, and rounds: half a pixel's hundredth keeps each border on its own side.
    little = 0.005
    render.border_min_x = (tile["x"] + little) / job["width"]
    render.border_max_x = (tile["x"] + tile["width"] + little) / job["width"]
    render.border_min_y = (job["height"] - tile["y"] - tile["height"] + little) / job["height"]
    render.border_max_y = (job["height"] - tile["y"] + little) / job["height"]
    picture = render.image_settings
    picture.file_format = "PNG"
    picture.color_mode = "RGB"
    picture.color_depth = "8"
    picture.compression = 15
    render.filepath = path("result.png")


def main():
    with open(path("job.json"), encoding="utf8") as file:
        job = json.load(file)
    if job["blend"]:
        bpy.ops.wm.open_mainfile(filepath=path("scene.blend"), load_ui=False, use_scripts=False)
    else:
        with open(path("scene.json"), encoding="utf8") as file:
            build(json.load(file))
    scene = bpy.context.scene
    if scene.camera is None:
        raise RuntimeError("the scene has no camera")
    settle(scene, job)
    scene.frame_set(job["tile"]["frame"])
    bpy.ops.render.render(write_still=True)


try:
    main()
except Exception as error:
    print(f"render failed: {error}", file=sys.stderr, flush=True)
    os._exit(3)
# Blender's own end frees everything one by one; the picture is written, and nobody needs the rest.
sys.stdout.flush()
os._exit(0)
