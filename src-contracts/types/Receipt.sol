// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice The receipts of a panel's seats, side by side, 26 bytes each; the panel's own receipt is the hash of them in their order.
library ReceiptLib {
    /// @notice Memory for the receipts of `seats` seats. The last is written as a whole word.
    function room(uint256 seats) internal pure returns (bytes memory) {
        return new bytes(26 * seats + 6);
    }

    /// @notice Writes the receipt of the seat that is number `index` among those who leave one; below the number that there is room for.
    function put(bytes memory bodies, uint256 index, uint208 body) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(bodies, 0x20), mul(26, index)), shl(48, body))
        }
    }

    /// @notice The panel's receipt, of the first `seats` seats.
    function hash(bytes memory bodies, uint256 seats) internal pure returns (uint208 receipt) {
        assembly ("memory-safe") {
            receipt := and(
                keccak256(add(bodies, 0x20), mul(26, seats)),
                0xffffffffffffffffffffffffffffffffffffffffffffffffffff
            )
        }
    }
}
