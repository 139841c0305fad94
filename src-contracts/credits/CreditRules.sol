// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {CreditParameters} from "src-contracts/credits/CreditParameters.sol";
import {Earned} from "src-contracts/interfaces/IReceipts.sol";

/// @notice The arithmetic of credits, free of storage. `sdk/src/creditRules.ts` is the same in TypeScript; `test/vectors/credits.json` holds
/// both to the same answers. Every division rounds down, against whoever mints.
library CreditRules {
    uint256 private constant ONE = CreditParameters.ONE;
    uint256 private constant WAD = CreditParameters.WAD;
    uint256 private constant BPS = 10_000;

    /// @dev What a lease paid the protocol, as credits: the most that it can earn.
    function feeValue(Earned memory e, uint256 feeBps, uint256 rate) internal pure returns (uint256) {
        return uint256(e.price) * e.count * feeBps / BPS * rate / WAD; // 96 + 16 + 16 bits, then 128 + 100
    }

    /// @dev What a lease's units are worth at a weight.
    function unitValue(uint256 units, uint256 perUnit, uint256 weight) internal pure returns (uint256) {
        return units * perUnit * weight / ONE; // 64 + 56 + 32 bits
    }

    /// @dev How far up the ramp a lease was claimed, in billionths. One price says nothing, so it counts as the target.
    function pressure(uint256 price, uint256 minPrice, uint256 maxPrice, uint256 target)
        internal
        pure
        returns (uint256)
    {
        if (minPrice == maxPrice) return target;
        if (price <= minPrice) return 0;
        if (price >= maxPrice) return ONE;
        return (price - minPrice) * ONE / (maxPrice - minPrice);
    }

    /// @dev The weight after an epoch with `fees` (millionths of a credit) and `pressures` (the same times billionths):
    ///   u  = (pressures + cap · target) / (fees + cap)
    ///   w' = clamp(w + w · (u − target) / (8 · target) − (w − 1) / 8, w ± w / 8, least … most)
    /// With `cap` (millionths of a credit) of fees at the target in every epoch, a few cheap jobs cannot speak for a runtime that will mint the
    /// whole cap. The last term returns an eighth of the way to one, so that
    /// a push must be paid for in every epoch in which it is to last.
    function next(
        uint256 weight,
        uint256 fees,
        uint256 pressures,
        uint256 cap,
        uint256 target,
        uint256 least,
        uint256 most
    ) internal pure returns (uint256) {
        uint256 u = (pressures + cap * target) / (fees + cap);
        uint256 up;
        uint256 down;
        if (u > target) up = weight * (u - target) / (CreditParameters.STEP * target);
        else down = weight * (target - u) / (CreditParameters.STEP * target);
        if (weight > ONE) down += (weight - ONE) / CreditParameters.STEP;
        else up += (ONE - weight) / CreditParameters.STEP;

        uint256 step = weight / CreditParameters.STEP;
        uint256 moved;
        if (up > down) moved = weight + (up - down < step ? up - down : step);
        else moved = weight - (down - up < step ? down - up : step);
        return clamp(moved, least, most);
    }

    /// @dev The weight after `epochs` without fees: each leaves seven eighths of the distance from one. Eight steps at most.
    function rested(uint256 weight, uint256 epochs) internal pure returns (uint256) {
        uint256 left = epochs > 255 ? 0 : WAD;
        uint256 base = WAD * 7 / 8;
        for (uint256 n = epochs > 255 ? 0 : epochs; n != 0; n >>= 1) {
            if (n & 1 != 0) left = left * base / WAD;
            base = base * base / WAD;
        }
        return weight > ONE ? ONE + (weight - ONE) * left / WAD : ONE - (ONE - weight) * left / WAD;
    }

    function clamp(uint256 value, uint256 least, uint256 most) internal pure returns (uint256) {
        return value < least ? least : value > most ? most : value;
    }
}
