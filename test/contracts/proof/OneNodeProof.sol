// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

/// @dev One node through any number of calls in any order: no unit of its stake is promised twice. By induction: a fresh node has promised nothing, and
/// every movement keeps what `_isKept` says. The solver knows no pointers into storage, so the node's record is four variables here. `_free`, `_queued` and `_lock` must be those of StakesCore letter for letter once `n` is left out:
/// `npm run test:proof` compares them. The other movements are what Stakes, Slashing and JobsCore do to the same numbers.
contract OneNodeProof {
    uint96 private stake;
    uint96 private locked;
    uint96 private queued;
    bool private exiting;

    /* OF StakesCore */

    function _free() internal view returns (uint256) {
        return uint256(stake) - locked - _queued();
    }

    function _queued() private view returns (uint96) {
        return exiting ? queued : 0;
    }

    function _lock(uint256 bond, uint256 minStake) internal {
        uint256 staying = stake - _queued();
        require(staying >= minStake);
        uint256 free = staying - locked;
        require(bond <= free);
        locked += uint96(bond);
    }

    /* INDUCTION */

    constructor() {
        assert(_isKept());
    }

    modifier keeps() {
        require(_isKept());
        _;
        assert(_isKept());
    }

    function _isKept() private view returns (bool) {
        return uint256(locked) + queued <= stake && (exiting || queued == 0);
    }

    /* WHATEVER CAN HAPPEN */

    function claims(uint256 bond, uint256 minStake) external keeps {
        uint256 before = locked;
        _lock(bond, minStake);
        assert(locked == before + bond);
    }

    function isPaid(uint96 bond) external keeps {
        require(bond <= locked);
        locked -= bond;
    }

    function isSlashed(uint96 bond, uint96 amount) external keeps {
        require(amount <= bond && bond <= locked);
        locked -= bond;
        stake -= amount;
    }

    function stakes(uint96 amount) external keeps {
        stake += amount;
    }

    function queues(uint96 amount) external keeps {
        require(amount <= _free());
        exiting = true;
        queued += amount;
    }

    function staysOn() external keeps {
        exiting = false;
        queued = 0;
    }

    function leaves() external keeps {
        stake -= queued;
        exiting = false;
        queued = 0;
    }
}
