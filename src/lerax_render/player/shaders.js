// What GL runs. Light is computed at corners, as MuJoCo has it computed, with the same formula: what
// lies between them is a mixture in both, and pictures of the two agree.

const MOST_LIGHTS = 8;

const CORNERS = `#version 300 es
precision highp float;
layout(location = 0) in vec3 place;
layout(location = 1) in vec3 normal;
layout(location = 2) in vec2 coordinates;
uniform mat4 seen;
uniform mat3 turn;
uniform vec3 scale;
uniform vec3 at;
vec3 worldPlace() { return at + turn * (scale * place); }
`;

const LIT_CORNERS = `${CORNERS}
uniform vec3 eye;
uniform bool parallel;
uniform vec3 forward;
uniform vec4 rgba;
// Emission, specular, shininess, and the share of its colour that a mirror shows.
uniform vec4 paint;
uniform int lightCount;
// A light whose shadows are drawn, or -1; and whether the others shine, too.
uniform int shadowing;
uniform bool others;
// Bits of lights that shine in a pass of their own.
uniform int later;
uniform vec4 lightAt[${MOST_LIGHTS}];
uniform vec4 lightAlong[${MOST_LIGHTS}];
uniform vec3 ambient[${MOST_LIGHTS}];
uniform vec3 diffuse[${MOST_LIGHTS}];
uniform vec3 specular[${MOST_LIGHTS}];
uniform vec4 falloff[${MOST_LIGHTS}];
uniform mat4 shade;
// 0: none, 1: by coordinates, 2: projected along z, 3: cube.
uniform int mapping;
uniform vec3 mappingScale;
uniform vec3 mappingShift;
uniform bool unlit;
out vec3 plain;
out vec3 shaded;
out vec4 shadePlace;
out vec3 image;
out vec3 world;

vec3 shone(int i, vec3 where, vec3 n, vec3 viewer, vec3 colour) {
  vec3 to = -lightAlong[i].xyz;
  float strength = 1.0;
  if (lightAt[i].w > 0.0) {
    vec3 way = lightAt[i].xyz - where;
    float far = length(way);
    to = way / max(far, 1e-9);
    strength = 1.0 / max(dot(falloff[i].xyz, vec3(1.0, far, far * far)), 1e-9);
    // From the axis of the lamp, as a cosine; at 180 degrees it shines everywhere.
    if (lightAlong[i].w > -1.0) {
      float inside = dot(-to, lightAlong[i].xyz);
      if (inside < lightAlong[i].w) return vec3(0.0);
      strength *= falloff[i].w == 0.0 ? 1.0 : pow(max(inside, 1e-9), falloff[i].w);
    }
  }
  float facing = dot(n, to);
  vec3 sum = ambient[i] * colour;
  if (facing > 0.0) {
    float gloss = max(dot(n, normalize(to + viewer)), 0.0);
    float shininess = paint.z * 128.0;
    gloss = shininess == 0.0 ? 1.0 : pow(max(gloss, 1e-9), shininess);
    sum += facing * diffuse[i] * colour + gloss * specular[i] * paint.y;
  }
  return strength * sum;
}

void main() {
  world = worldPlace();
  gl_Position = seen * vec4(world, 1.0);
  vec3 colour = rgba.rgb * paint.w;
  plain = colour;
  shaded = vec3(0.0);
  if (!unlit) {
    vec3 n = normalize(turn * (normal / scale));
    vec3 viewer = parallel ? -forward : normalize(eye - world);
    plain = others ? paint.x * colour : vec3(0.0);
    if (others && lightCount == 0) plain += 0.3 * colour;
    for (int i = 0; i < lightCount; i++) {
      if (i == shadowing) shaded = shone(i, world, n, viewer, colour);
      else if (others && (later >> i & 1) == 0) plain += shone(i, world, n, viewer, colour);
    }
  }
  plain = clamp(plain, 0.0, 1.0);
  shaded = clamp(shaded, 0.0, 1.0);
  shadePlace = shade * vec4(world, 1.0);
  // A cube is looked up by the direction of a place on it.
  image = mapping == 1 ? vec3(coordinates, 0.0) : place;
  image = mappingScale * image + mappingShift;
}`;

const LIT_DOTS = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2DShadow;
in vec3 plain;
in vec3 shaded;
in vec4 shadePlace;
in vec3 image;
in vec3 world;
uniform vec4 rgba;
uniform int mapping;
uniform int shadowing;
uniform vec4 cut;
uniform sampler2D flatImage;
uniform samplerCube cubeImage;
uniform sampler2DShadow shadows;
out vec4 dot_;

void main() {
  // What is behind a mirror is not seen in it.
  if (dot(cut, vec4(world, 1.0)) < 0.0) discard;
  vec4 texel = vec4(1.0);
  if (mapping == 1 || mapping == 2) texel = texture(flatImage, image.xy);
  if (mapping == 3) texel = texture(cubeImage, image);
  vec3 sum = texel.rgb * plain;
  if (shadowing >= 0) {
    vec3 where = shadePlace.xyz / shadePlace.w * 0.5 + 0.5;
    bool inside = shadePlace.w > 0.0 && all(greaterThan(where, vec3(0.0))) && all(lessThan(where, vec3(1.0)));
    float open = inside ? texture(shadows, where) : 1.0;
    sum += texel.rgb * shaded * open;
  }
  dot_ = vec4(sum, rgba.a * texel.a);
}`;

const SHADE_CORNERS = `${CORNERS}
void main() { gl_Position = seen * vec4(worldPlace(), 1.0); }`;

const SHADE_DOTS = `#version 300 es
precision mediump float;
uniform vec4 number;
out vec4 dot_;
void main() { dot_ = number; }`;

// Sky and haze are around the eye. A sky's direction is MuJoCo's, in which y is up.
const SKY_CORNERS = `${CORNERS}
out vec3 image;
out float haziness;
void main() {
  image = vec3(place.x, place.z, -place.y);
  haziness = coordinates.x;
  gl_Position = seen * vec4(worldPlace(), 1.0);
}`;

const SKY_DOTS = `#version 300 es
precision highp float;
in vec3 image;
in float haziness;
uniform samplerCube cubeImage;
uniform vec4 haze;
out vec4 dot_;
void main() {
  dot_ = haze.a > 0.0 ? vec4(haze.rgb, haziness) : vec4(texture(cubeImage, image).rgb, 1.0);
}`;
