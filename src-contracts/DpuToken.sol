// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/// @title The DPU token
/// @notice Stake and governance. Stock OpenZeppelin: permit, burn, and votes on a timestamp clock.
/// @dev SUPPLY: minted once, to one holder, in the constructor; nobody can mint again; slashing burns.
contract DpuToken is ERC20, ERC20Burnable, ERC20Permit, ERC20Votes {
    uint256 public constant INITIAL_SUPPLY = 1_000_000_000e18;

    constructor(address holder) ERC20("DPU", "DPU") ERC20Permit("DPU") {
        _mint(holder, INITIAL_SUPPLY);
    }

    /// @notice Votes are counted by time, which is right on every chain; block numbers are not on rollups.
    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    /// @notice Machine-readable description of `clock`, as ERC-6372 asks.
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }
}
