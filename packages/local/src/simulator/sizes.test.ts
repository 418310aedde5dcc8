import { describe, expect, it } from "vitest";
import { models } from "./models.ts";
import { allRatios, commonRatios, nearestRatio, pixelsOf } from "./sizes.ts";

describe("the pixel tables", () => {
  it.each([
    ["2.5", "5:4", "1K", 1152, 896],
    ["3", "1:1", "4K", 4096, 4096],
    ["3", "3:2", "1K", 1264, 848],
    ["3", "2:3", "4K", 3392, 5056],
    ["3", "4:3", "2K", 2400, 1792],
    ["3", "5:4", "2K", 2304, 1856],
    ["3", "21:9", "4K", 6336, 2688],
    ["3", "8:1", "4K", 12288, 1536],
    ["3", "4:1", "512", 1024, 256],
    ["3", "16:9", "512", 688, 384],
  ] as const)("family %s, %s at %s is %i x %i", (family, ratio, size, width, height) => {
    expect(pixelsOf(family, ratio, size)).toEqual({ width, height });
  });

  it.each(models)("know every ratio and size of $id", ({ family, ratios, sizes }) => {
    for (const ratio of ratios) {
      for (const size of sizes.length === 0 ? (["1K"] as const) : sizes) {
        const { width, height } = pixelsOf(family, ratio, size);
        expect(width * height).toBeGreaterThan(0);
      }
    }
  });

  it("find the nearest ratio a model has", () => {
    expect(nearestRatio(commonRatios, { width: 1000, height: 1010 })).toBe("1:1");
    expect(nearestRatio(commonRatios, { width: 4000, height: 500 })).toBe("21:9");
    expect(nearestRatio(allRatios, { width: 4000, height: 500 })).toBe("8:1");
    expect(nearestRatio(allRatios, { width: 1200, height: 1600 })).toBe("3:4");
  });
});
