// The parts of GL that stages are built from.

/** A program, with a function for each of its uniforms. */
function makeProgram(gl, corners, dots) {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, corners], [gl.FRAGMENT_SHADER, dots]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    const logs = gl.getAttachedShaders(program).map((shader) => gl.getShaderInfoLog(shader));
    const why = [gl.getProgramInfoLog(program), ...logs].join(" ").trim();
    throw new Error(`WebGL does not take this page's shaders (${why})`);
  }
  const set = {};
  const kinds = {
    [gl.FLOAT_VEC4]: "4fv", [gl.FLOAT_VEC3]: "3fv", [gl.INT]: "1i", [gl.BOOL]: "1i",
    [gl.SAMPLER_2D]: "1i", [gl.SAMPLER_CUBE]: "1i", [gl.SAMPLER_2D_SHADOW]: "1i",
  };
  for (let i = 0; i < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); i++) {
    const { name, type } = gl.getActiveUniform(program, i);
    const place = gl.getUniformLocation(program, name);
    const short = name.replace("[0]", "");
    if (type === gl.FLOAT_MAT4) set[short] = (value) => gl.uniformMatrix4fv(place, false, value);
    // Rotations are written by rows.
    else if (type === gl.FLOAT_MAT3) set[short] = (value) => gl.uniformMatrix3fv(place, true, value);
    else set[short] = (value) => gl[`uniform${kinds[type]}`](place, value);
  }
  return { program, set };
}

/** Triangles on the GPU; corners may be replaced later. */
class Mesh {
  constructor(gl, { positions, normals, coordinates, triangles }) {
    this.gl = gl;
    this.count = triangles.length;
    this.type = triangles instanceof Uint16Array ? gl.UNSIGNED_SHORT : gl.UNSIGNED_INT;
    this.array = gl.createVertexArray();
    this.buffers = [];
    this.replace(positions, normals, coordinates);
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, triangles, gl.STATIC_DRAW);
    gl.bindVertexArray(null);
  }

  replace(...attributes) {
    const { gl } = this;
    gl.bindVertexArray(this.array);
    attributes.forEach((values, place) => {
      this.buffers[place] ??= gl.createBuffer();
      if (!values) return;
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[place]);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, place === 2 ? 2 : 3, gl.FLOAT, false, 0, 0);
    });
    gl.bindVertexArray(null);
  }

  draw() {
    const { gl } = this;
    gl.bindVertexArray(this.array);
    gl.drawElements(gl.TRIANGLES, this.count, this.type, 0);
  }
}

/** An image or a cube of six on the GPU, as MuJoCo sets them up. */
function makeTexture(gl, { isCube, isSrgb, width, height, channels, pixels }) {
  const target = isCube ? gl.TEXTURE_CUBE_MAP : gl.TEXTURE_2D;
  const wrap = isCube ? gl.CLAMP_TO_EDGE : gl.REPEAT;
  const texture = gl.createTexture();
  gl.bindTexture(target, texture);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  // GL makes no smaller copies of SRGB8, so that all have alpha.
  const size = width * height;
  const faces = isCube ? 6 : 1;
  const inner = isSrgb ? gl.SRGB8_ALPHA8 : gl.RGBA8;
  for (let face = 0; face < faces; face++) {
    const filled = new Uint8Array(4 * size).fill(255);
    for (let i = 0; i < size; i++) {
      for (let c = 0; c < channels; c++) filled[4 * i + c] = pixels[(face * size + i) * channels + c];
    }
    const place = isCube ? gl.TEXTURE_CUBE_MAP_POSITIVE_X + face : gl.TEXTURE_2D;
    gl.texImage2D(place, 0, inner, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, filled);
  }
  gl.generateMipmap(target);
  gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
  gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(target, gl.TEXTURE_WRAP_S, wrap);
  gl.texParameteri(target, gl.TEXTURE_WRAP_T, wrap);
  return texture;
}

/** A depth map that is asked whether something lies behind it. */
class ShadowMap {
  constructor(gl) {
    Object.assign(this, { gl, size: 0, texture: gl.createTexture(), frame: gl.createFramebuffer() });
  }

  bind(size) {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
    if (size === this.size) return;
    this.size = size;
    gl.activeTexture(gl.TEXTURE2);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texImage2D(
      gl.TEXTURE_2D, 0, gl.DEPTH_COMPONENT24, size, size, 0, gl.DEPTH_COMPONENT, gl.UNSIGNED_INT, null,
    );
    const settings = {
      TEXTURE_MIN_FILTER: gl.LINEAR, TEXTURE_MAG_FILTER: gl.LINEAR,
      TEXTURE_WRAP_S: gl.CLAMP_TO_EDGE, TEXTURE_WRAP_T: gl.CLAMP_TO_EDGE,
      TEXTURE_COMPARE_MODE: gl.COMPARE_REF_TO_TEXTURE, TEXTURE_COMPARE_FUNC: gl.LEQUAL,
    };
    for (const [name, value] of Object.entries(settings)) gl.texParameteri(gl.TEXTURE_2D, gl[name], value);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.DEPTH_ATTACHMENT, gl.TEXTURE_2D, this.texture, 0);
  }
}

/** A picture with several samples for each pixel, to be resolved into the canvas. */
class Samples {
  constructor(gl) {
    Object.assign(this, { gl, key: "", frame: gl.createFramebuffer() });
    this.buffers = [gl.createRenderbuffer(), gl.createRenderbuffer()];
  }

  bind(width, height, samples) {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
    const key = `${width} ${height} ${samples}`;
    if (key === this.key) return;
    this.key = key;
    const most = Math.min(samples, gl.getParameter(gl.MAX_SAMPLES));
    const [colour, depth] = this.buffers;
    const parts = [
      [colour, gl.RGBA8, gl.COLOR_ATTACHMENT0],
      [depth, gl.DEPTH24_STENCIL8, gl.DEPTH_STENCIL_ATTACHMENT],
    ];
    for (const [buffer, format, place] of parts) {
      gl.bindRenderbuffer(gl.RENDERBUFFER, buffer);
      gl.renderbufferStorageMultisample(gl.RENDERBUFFER, most, format, width, height);
      gl.framebufferRenderbuffer(gl.FRAMEBUFFER, place, gl.RENDERBUFFER, buffer);
    }
  }

  resolve(width, height) {
    const { gl } = this;
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, this.frame);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, null);
    gl.blitFramebuffer(0, 0, width, height, 0, 0, width, height, gl.COLOR_BUFFER_BIT, gl.NEAREST);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  }
}
